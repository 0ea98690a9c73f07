// A slider that steps through pictures drawn by the run (mosaic/reporting/frames.py). It hides and shows, nothing else:
// without this file every picture stands on the page, and the browser's own slider has the keyboard.
document.addEventListener("DOMContentLoaded", () => {
  for (const box of document.querySelectorAll(".frames")) {
    const control = box.querySelector(".frame-control"), frames = [...box.querySelectorAll(".frame")];
    if (!control || frames.length < 2) continue;
    const slider = control.querySelector("input"), output = control.querySelector("output");
    const show = () => {
      frames.forEach((frame, i) => { frame.hidden = i !== Number(slider.value); });
      const label = frames[Number(slider.value)].dataset.label;
      output.textContent = label;
      slider.setAttribute("aria-valuetext", label);
    };
    control.hidden = false;
    box.classList.add("stepped");
    slider.addEventListener("input", show);
    show();
  }
});
