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
