/** @import { Model } from "../protocol.js" */

/** @typedef {"live" | "restarted" | "stopped" | "absent"} Connection */

/** @type {Record<string, Connection>} what a status of JupyterLab's kernel means for a widget made before */
const FATAL = {
  restarting: "restarted",
  autorestarting: "restarted",
  terminating: "stopped",
  dead: "stopped",
};

/**
 * Tells whether a kernel stands behind a view.
 *
 * ipywidgets marks the element of a view that never had one, and tells the model when the comm is cut. A crash is
 * told to nobody but the kernel's own listeners.
 *
 * @param {Model} model
 * @param {HTMLElement} host the element that the host gave the view
 * @param {(connection: Connection) => void} tell called at once, and at every change
 * @param {AbortSignal} signal
 */
export function watchKernel(model, host, tell, signal) {
  /** @this {{model?: {comm_live?: boolean}} | undefined} the host's view: it is the context of each callback */
  function comm() {
    tell(this?.model?.comm_live === true ? "live" : "restarted");
  }
  /** @param {unknown} _kernel @param {string} status */
  const kernelStatus = (_kernel, status) => {
    const connection = FATAL[status];
    if (connection) tell(connection);
  };
  const statusChanged = model.widget_manager?.kernel?.statusChanged;
  model.on("comm_live_update", comm);
  statusChanged?.connect?.(kernelStatus);
  signal.addEventListener("abort", () => {
    model.off("comm_live_update", comm);
    statusChanged?.disconnect?.(kernelStatus);
  });
  tell(host.closest(".jupyter-widgets-disconnected") ? "absent" : "live");
}
