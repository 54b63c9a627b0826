/**
 * Tells the stylesheet whether the page is dark, by the colour that the host gave the widget. The stylesheet gives
 * the background a transition of a moment, so that every change of theme, in whatever host, is an event.
 *
 * @param {HTMLElement} root
 */
function readScheme(root) {
  const colour = getComputedStyle(root).backgroundColor;
  const [r = 0, g = 0, b = 0, alpha = 1] = (colour.match(/[\d.]+/g) ?? []).map(Number);
  if (!colour || alpha === 0) return;
  const full = colour.startsWith("rgb") ? 255 : 1;
  const light = (0.2126 * r + 0.7152 * g + 0.0722 * b) / full > 0.5;
  root.dataset.scheme = light ? "light" : "dark";
}

/**
 * Reads the scheme now and whenever the host changes its theme. A host that takes its page off display while it swaps
 * the stylesheet cancels the transition, but says so on its body.
 *
 * @param {HTMLElement} root
 * @returns {() => void} ends it
 */
export function watchScheme(root) {
  const read = () => requestAnimationFrame(() => readScheme(root));
  const events = ["transitionrun", "transitionend", "transitioncancel"];
  for (const event of events) root.addEventListener(event, read);
  const sizes = new ResizeObserver(read);
  sizes.observe(root);
  const said = new MutationObserver(read);
  const { documentElement, body } = root.ownerDocument;
  for (const element of [documentElement, body]) said.observe(element, { attributes: true });
  return () => {
    sizes.disconnect();
    said.disconnect();
  };
}

/**
 * The transcript that a notebook keeps of a chat, for readers without a kernel: an output of its own beside the view.
 * While the view lives it stands for it, and hides it; in JupyterLab with the whole row of the output. A rule of style
 * also reaches what appears or is rewritten later.
 */
export class TranscriptOutput {
  /** @param {Document} page @param {string} mark the widget's */
  constructor(page, mark) {
    this.page = page;
    this.marked = `[data-dialogpt="${CSS.escape(mark)}"]`;
    this.style = page.createElement("style");
    const every = `:is(${this.marked},[data-dialogpt-reader="${CSS.escape(mark)}"])`;
    this.style.textContent = `${every}{display:none}.jp-OutputArea-child:has(>*>${every}){display:none}`;
  }

  /** @param {boolean} hidden */
  hide(hidden) {
    if (!hidden) this.style.remove();
    else if (!this.style.isConnected) this.page.head.append(this.style);
  }

  /** Whether it is on the page and ends with a text. @param {string} text */
  endsWith(text) {
    return [...this.page.querySelectorAll(this.marked)].some((one) =>
      bare(one.lastElementChild?.textContent ?? "").includes(bare(text)),
    );
  }
}

/** Line breaks are elements there. @param {string} text */
const bare = (text) => text.replace(/\s+/g, "");
