// A figure with a slider (mosaic/reporting/sliders.py). Every place was computed and drawn by the run: here one is chosen and put
// in, nothing is computed. Without this file the figure stands as it was drawn, and the table below it has all places.
document.addEventListener("DOMContentLoaded", () => {
  for (const box of document.querySelectorAll(".slider-figure")) {
    const cases = JSON.parse(box.dataset.places), starts = box.dataset.starts.split(" "), parts = [...box.querySelectorAll(".slider-case")];
    const controls = box.querySelector(".slider-controls"), range = controls.querySelector("input"), menu = controls.querySelector("select");
    const output = controls.querySelector("output");
    const words = parts.map(part => part.querySelector(".slider-svg").getAttribute("aria-label"));
    const put = (part, place) => {
      part.querySelector(".slider-cursor").setAttribute("transform", `translate(${place.x} 0)`);
      part.querySelectorAll(".slider-dot").forEach((mark, i) => {
        const dot = place.dots[i];
        mark.toggleAttribute("hidden", !dot);
        if (!dot) return;
        mark.querySelector("path").setAttribute("d", `M0 ${dot[1]}V${dot[2]}`);
        mark.querySelector("circle").setAttribute("cy", dot[0]);
      });
      part.querySelectorAll(".slider-bar").forEach((bar, i) => bar.classList.toggle("lit", place.bars.includes(i)));
      part.querySelectorAll(".slider-marks li").forEach((mark, i) => {
        const note = place.marks[i], lit = note != null;
        mark.classList.toggle("lit", lit);
        mark.hidden = part.hasAttribute("data-appear") && !lit;
        mark.querySelector("small").textContent = note || "";
      });
    };
    const show = () => {
      const which = menu ? menu.selectedIndex : 0, place = cases[which][range.value];
      parts.forEach((part, i) => { part.hidden = i !== which; });
      put(parts[which], place);
      parts[which].querySelector(".slider-svg").setAttribute("aria-label", `${words[which]} ${place.said}`);
      output.textContent = place.label;
      range.setAttribute("aria-valuetext", place.label);
      parts[which].querySelector(".slider-said").textContent = place.said;
    };
    const choose = () => {
      range.max = cases[menu.selectedIndex].length - 1;
      range.value = starts[menu.selectedIndex];
      show();
    };
    controls.hidden = false;
    range.addEventListener("input", show);
    if (menu) menu.addEventListener("change", choose);
    show();
  }
});
