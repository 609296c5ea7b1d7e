// Answers by the server that gave the page.

class ServedAnswerer extends Answerer {
  constructor(model) {
    super(model);
    this.places = new Map(model.names.map((name, i) => [name, i]));
  }

  async look(file) {
    const answer = await this.ask("predict", `top=${this.places.size}`, file), shares = new Array(this.places.size).fill(0);
    for (const { class: name, probability } of answer.top) shares[this.places.get(name)] = probability;
    return { ...this.judge(shares), exact: true, file };
  }

  async explain(answer) {
    const target = encodeURIComponent(this.model.names[answer.best]);
    const { map, overlay } = await this.ask("explain", `overlay=1&target=${target}`, answer.file);
    const picture = new Image();
    picture.src = `data:image/png;base64,${overlay}`;
    await picture.decode();
    const draw = (canvas) => {
      [canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
      canvas.getContext("2d").drawImage(picture, 0, 0);
    };
    return { falls: map.flat(), draw };
  }

  // JSON of the server; where all are busy again and again for a while.
  async ask(what, parameters, file) {
    for (let turn = 0; ; turn++) {
      const address = `${this.model.address}/${what}?${parameters}`;
      const headers = { "content-type": "application/octet-stream" }; // one file, whatever it is called
      const response = await fetch(address, { method: "POST", body: file, headers }).catch(() => null);
      if (!response) throw new PictureError("noServer");
      if ([429, 503].includes(response.status) && turn < 20) {
        const seconds = Number(response.headers.get("retry-after")) || 1;
        await new Promise((resolve) => setTimeout(resolve, 1000 * Math.min(seconds, 5)));
        continue;
      }
      const values = await response.json().catch(() => ({}));
      if (response.ok) return values;
      const reason = String(values.error ?? response.status).replace("Cannot read the picture: ", "");
      throw new PictureError("served", { reason });
    }
  }
}

const makeAnswerer = (model) => new ServedAnswerer(model);
