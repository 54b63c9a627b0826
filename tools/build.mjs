/** Builds the front end: the chat, and apart from it the parts that come later, whose style sheets are text in their code. */

import { build } from "esbuild";

const common = {
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022", "chrome120", "firefox117", "safari17.2"],
  charset: "utf8",
};

const styleAsText = {
  name: "style as text",
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { outputFiles } = await build({ ...common, entryPoints: [path], write: false });
      return { contents: outputFiles[0].text.trim(), loader: "text" };
    });
  },
};

await build({ ...common, entryPoints: ["js/widget.js", "js/widget.css"], outdir: "dialogpt_widget/static" });
for (const [part, entry] of [
  ["inspect", "inspector"],
  ["decide", "decider"],
])
  await build({
    ...common,
    entryPoints: [`js/${part}/${entry}.js`],
    outfile: `dialogpt_widget/static/${part}.js`,
    plugins: [styleAsText],
  });
