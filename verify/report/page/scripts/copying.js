// A button on each command and script that copies it.

for (const text of document.querySelectorAll("pre.command, .script pre")) {
  const frame = document.createElement("div");
  frame.className = "copies";
  text.replaceWith(frame);
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text.textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  frame.append(text, button);
}
