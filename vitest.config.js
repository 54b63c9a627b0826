export default { test: { environment: "happy-dom", dir: "js" } };
