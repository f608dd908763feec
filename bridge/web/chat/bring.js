// Files that are dropped on the page or pasted into it.

/** `bring(files)` is called with what comes; `veil` is shown while something hangs over the page. */
export function dropAndPaste(veil, field, bring) {
  const brings = (event) => event.dataTransfer?.types.includes("Files");
  let hideSoon = 0;

  document.addEventListener("dragover", (event) => {
    if (!brings(event) || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    veil.hidden = false;
    clearTimeout(hideSoon); // it is told again and again while it hangs there, and nothing else is certain
    hideSoon = setTimeout(() => (veil.hidden = true), 400);
  });
  document.addEventListener("drop", (event) => {
    if (!brings(event)) return;
    event.preventDefault();
    veil.hidden = true;
    const files = [...event.dataTransfer.items]
      .filter((item) => item.kind === "file" && !item.webkitGetAsEntry?.()?.isDirectory)
      .map((item) => item.getAsFile());
    if (files.length) bring(files);
  });
  field.addEventListener("paste", (event) => {
    const { files, types } = event.clipboardData;
    if (!files.length || types.includes("text/plain")) return; // a table brings its picture along
    event.preventDefault();
    bring(files);
  });
}
