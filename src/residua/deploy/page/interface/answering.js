// One picture: what the model says of it, and how that is shown.

// What answers pictures: `look(file)` gives {best, shares, sure, exact, ...}, `explain(answer, going)`
// {falls, draw}.
class Answerer {
  constructor(model) {
    this.model = model;
    this.shape = [...model.preprocessing.seen, model.preprocessing.channels];
  }

  judge(shares) {
    const { notSure } = this.model, best = shares.reduce((first, share, i) => (share > shares[first] ? i : first), 0);
    return { best, shares, sure: !notSure || shares[best] >= notSure.threshold };
  }

  words({ best, shares, sure }) {
    return text(sure ? "best" : "notSure", { class: this.model.classes[best], probability: percent(shares[best]) });
  }
}

class AnswerView {
  constructor(answerer) {
    this.answerer = answerer;
    this.turn = 0; // which picture is shown: what is still computed for another is dropped
    element("why").addEventListener("click", () => this.explain());
  }

  show(name, file, answer) {
    this.turn++;
    Object.assign(this, { name, answer });
    if (this.address) URL.revokeObjectURL(this.address);
    this.address = URL.createObjectURL(file);
    element("picture").src = this.address;
    element("parts").hidden = true;
    this.busy(false);
    element("answer").hidden = false;
    this.falls = null;
    this.write();
  }

  hide() {
    this.turn++;
    this.answer = null;
    element("answer").hidden = true;
  }

  // All words, anew: also when the language changes.
  write() {
    if (!this.answer) return;
    const { answer, answerer } = this, { classes, notSure } = answerer.model;
    const words = answerer.words(answer);
    element("picture").alt = this.name;
    element("name").textContent = this.name;
    element("best").textContent = words;
    element("said").textContent = text("answered", { file: this.name, answer: words });
    element("threshold").textContent = doubts(notSure, classes.length)
      ? text("threshold", { threshold: percent(notSure.threshold) }) : "";
    element("odd").textContent = answer.exact ? "" : text("approximate");
    const order = answer.shares.map((_, i) => i).sort((a, b) => answer.shares[b] - answer.shares[a] || a - b);
    element("bars").replaceChildren(...order.slice(0, 5).map((i) => bar(classes[i], answer.shares[i])));
    if (this.falls) this.writeMap();
  }

  // Whether the button waits. It is not disabled, for that would take the focus from who pressed it by keyboard.
  busy(waits) {
    element("why").setAttribute("aria-disabled", waits);
  }

  async explain() {
    if (element("why").getAttribute("aria-disabled") === "true") return;
    const turn = this.turn, { answer, answerer } = this;
    this.busy(true);
    element("said").textContent = text("looking");
    await pause();
    let found = null;
    try {
      found = await answerer.explain(answer, () => turn === this.turn);
    } catch (error) {
      if (turn !== this.turn) return;
      this.busy(false); // a server that was busy may be asked again
      element("said").textContent = reasonOf(error);
    }
    if (!found || turn !== this.turn) return;
    this.falls = found.falls;
    found.draw(element("map"));
    element("parts").hidden = false;
    this.writeMap();
    element("said").textContent = element("map").getAttribute("aria-label");
  }

  writeMap() {
    const [height, width] = this.answerer.shape, name = this.answerer.model.classes[this.answer.best];
    const place = text(`place${decisivePlace(this.falls, this.answerer.shape)}`);
    element("map").setAttribute("aria-label", text("whyWhere", { place }));
    const words = [text("whyText", { width, height, class: name }), text("whyAgainst"), text("whyWhere", { place })];
    element("parts-text").textContent = words.join(" ");
  }
}

function bar(name, share) {
  const item = document.createElement("li"), line = document.createElement("div"), track = document.createElement("div");
  const words = document.createElement("span"), value = document.createElement("span"), filled = document.createElement("div");
  line.className = "line";
  track.className = "bar";
  words.textContent = name;
  value.textContent = percent(share);
  filled.style.width = `${100 * share}%`;
  line.append(words, value);
  track.append(filled);
  item.append(line, track);
  return item;
}
