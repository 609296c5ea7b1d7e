// Many pictures, one after the other, as a table that can be saved.

const SHOWN = 1000; // rows on the page

class Table {
  // show(row): shows one picture of the table.
  constructor(answerer, show) {
    Object.assign(this, { answerer, show, rows: [], all: 0, turn: 0 });
    element("stop").addEventListener("click", () => this.stop());
    element("save").addEventListener("click", () => this.save());
  }

  // files: [{name, file}].
  async run(files) {
    const turn = ++this.turn;
    Object.assign(this, { rows: [], all: files.length, stopped: false });
    element("rows").replaceChildren();
    element("many").hidden = false;
    element("stop").disabled = false;
    let rest = performance.now();
    for (const { name, file } of files) {
      if (turn !== this.turn || this.stopped) break;
      const row = { name, file };
      try {
        row.answer = await this.answerer.look(file);
        row.answer.numbers = row.answer.bytes = null; // a thousand pictures would fill the memory
      } catch (error) {
        row.error = error;
      }
      if (turn !== this.turn) return;
      this.rows.push(row);
      this.add(row);
      if (performance.now() - rest > 100) {
        this.count();
        await pause();
        rest = performance.now();
      }
    }
    if (turn !== this.turn) return;
    const held = document.activeElement === element("stop");
    element("stop").disabled = true;
    if (held) element("save").focus(); // else it would be nowhere, and a keyboard begins at the top again
    this.count();
    const values = { done: number(this.rows.length), all: number(this.all) };
    const answered = { done: number(this.rows.filter((row) => row.answer).length) };
    element("said").textContent = this.stopped ? text("stopped", values) : text("finished", answered);
  }

  stop() {
    this.stopped = true;
  }

  hide() {
    this.turn++;
    element("many").hidden = true;
  }

  count() {
    const failed = this.rows.filter((row) => row.error).length;
    element("progress").value = this.all ? this.rows.length / this.all : 0;
    const values = { done: number(this.rows.length), all: number(this.all), failed: number(failed) };
    const more = this.rows.length > SHOWN ? ` ${text("shownFirst", { shown: number(SHOWN) })}` : "";
    element("counted").textContent = text("counted", values) + more;
  }

  add(row) {
    if (element("rows").childElementCount >= SHOWN) return;
    const line = element("rows").insertRow(), open = document.createElement("button"), { answer } = row;
    if (answer) {
      open.type = "button";
      open.textContent = row.name;
      open.addEventListener("click", () => this.show(row));
      line.insertCell().append(open);
    } else line.insertCell().textContent = row.name;
    line.insertCell().textContent = answer ? this.answerer.model.classes[answer.best] : "";
    const share = line.insertCell();
    share.className = "number";
    share.textContent = answer ? percent(answer.shares[answer.best]) : "";
    line.insertCell().textContent = answer ? (answer.sure ? "" : text("unsure")) : reasonOf(row.error);
  }

  // All words, anew.
  write() {
    if (element("many").hidden) return;
    element("rows").replaceChildren();
    for (const row of this.rows.slice(0, SHOWN)) this.add(row);
    this.count();
  }

  // The columns of `residua predict --csv`.
  csv() {
    const { classes, notSure } = this.answerer.model;
    const cell = (value) => (/[",\n\r]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : value);
    const lines = [["file", "class", "probability", ...(notSure ? ["sure"] : []), "error"]];
    for (const { name, answer, error } of this.rows) {
      const known = answer ? [classes[answer.best], answer.shares[answer.best]] : ["", ""];
      const sure = notSure ? [answer ? (answer.sure ? "yes" : "no") : ""] : [];
      lines.push([name, ...known, ...sure, error ? reasonOf(error) : ""]);
    }
    return lines.map((line) => `${line.map(cell).join(",")}\n`).join("");
  }

  save() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([this.csv()], { type: "text/csv" }));
    link.download = "predictions.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }
}

const reasonOf = (error) => (error instanceof PictureError ? text(error.reason, error.values) : String(error.message));
