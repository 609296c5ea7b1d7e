// Where pictures come from: dropped, pasted, chosen, a folder, the camera.

const PICTURES = /\.(jpe?g|jfif|png|webp|gif|bmp|avif|tiff?|hei[cf])$/i;

// take([{name, file}]) is called with what came; tell(text) with what is wrong.
function listen(take, tell) {
  const chosen = (input) => {
    const folder = input.id === "directory";
    const files = Array.from(input.files, (file) => ({ name: (folder && file.webkitRelativePath) || file.name, file }));
    input.value = ""; // so that the same file can be chosen again
    if (files.length) take(folder ? files.filter(({ name }) => PICTURES.test(name)) : files);
  };
  for (const [button, input] of [["choose", "files"], ["folder", "directory"]]) {
    element(button).addEventListener("click", () => element(input).click());
    element(input).addEventListener("change", () => chosen(element(input)));
  }
  element("folder").hidden = !("webkitdirectory" in element("directory"));
  const drop = element("drop");
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  document.addEventListener("dragleave", () => drop.classList.remove("over"));
  document.addEventListener("drop", async (event) => {
    event.preventDefault(); // else the browser leaves the page and opens the picture
    drop.classList.remove("over");
    const entries = Array.from(event.dataTransfer.items ?? [], (item) => item.webkitGetAsEntry?.()).filter(Boolean);
    const files = Array.from(event.dataTransfer.files, (file) => ({ name: file.name, file }));
    take(entries.some((entry) => entry.isDirectory) ? (await Promise.all(entries.map(walk))).flat() : files);
  });
  document.addEventListener("paste", (event) => {
    const files = Array.from(event.clipboardData.files);
    if (files.length) take(files.map((file) => ({ name: files.length > 1 ? file.name : text("pasted"), file })));
  });
  listenToCamera(take, tell);
}

// The pictures of a folder that was dropped, by their paths.
async function walk(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    const name = entry.fullPath.replace(/^\//, "");
    return PICTURES.test(name) ? [{ name, file }] : [];
  }
  const reader = entry.createReader(), inside = [];
  for (;;) { // a hundred at a time
    const more = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!more.length) break;
    inside.push(...more);
  }
  inside.sort((a, b) => (a.name < b.name ? -1 : 1));
  return (await Promise.all(inside.map(walk))).flat();
}

function listenToCamera(take, tell) {
  const video = element("video");
  let stream = null, shots = 0;
  const close = () => {
    stream?.getTracks().forEach((track) => track.stop());
    stream = video.srcObject = null;
    element("viewfinder").hidden = true;
    element("camera").focus();
  };
  element("camera").addEventListener("click", async () => {
    if (!navigator.mediaDevices?.getUserMedia) return tell(text("noCamera"));
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch (error) {
      return tell(text(error.name === "NotAllowedError" ? "cameraRefused" : "noCamera"));
    }
    video.srcObject = stream;
    element("shoot").disabled = true; // a picture taken before the first one is there would be of no size
    element("viewfinder").hidden = false;
    await video.play();
    element("shoot").disabled = false;
    element("shoot").focus();
  });
  element("close").addEventListener("click", close);
  element("shoot").addEventListener("click", () => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    canvas.getContext("2d").drawImage(video, 0, 0);
    canvas.toBlob((file) => take([{ name: text("shot", { number: ++shots }), file }])); // as PNG: nothing is lost
  });
}
