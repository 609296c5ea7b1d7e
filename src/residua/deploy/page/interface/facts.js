// What the model is, how good it is, and where its limits lie.

function showFacts(model) {
  const { name, classes, tested, pairs, notSure, preprocessing, made } = model;
  const count = number(classes.length), [height, width] = preprocessing.seen;
  const first = classes.slice(0, 8).join(", "), more = classes.length - 8;
  const some = more > 0 ? text("andMore", { some: first, more: number(more) }) : first;
  document.title = `${text("title")} (${name})`;
  element("about").textContent = text("about", { name, count, some });
  element("tested").textContent = tested
    ? text("tested", {
        pictures: number(tested.pictures), correct: number(tested.correct), data: tested.data,
        accuracy: percent(tested.accuracy), low: percent(tested.interval[0]), high: percent(tested.interval[1]),
      })
    : text("untested");
  element("sure").textContent = sureText(notSure, classes.length);
  element("pairs").replaceChildren();
  if (pairs.length) {
    const list = document.createElement("ul"), title = document.createElement("p");
    title.textContent = text("pairs");
    for (const pair of pairs) {
      addLine(list, text("pair", { ...pair, count: number(pair.count), all: number(pair.all) }));
    }
    element("pairs").append(title, list);
  }
  const limits = element("limits");
  limits.replaceChildren();
  const values = { count, width, height };
  for (const limit of ["limitClasses", "limitKind", "limitSize", "limitDecision"]) addLine(limits, text(limit, values));
  element("classes").textContent = classes.join(", ");
  element("made").textContent = text("made", made);
}

// Whether there are probabilities below which it is not sure: the best of so many classes has at least its share.
const doubts = (notSure, classes) => Boolean(notSure) && notSure.threshold > 1 / classes;

function sureText(notSure, classes) {
  if (!notSure) return text("uncalibrated");
  const { threshold, right, accepted } = notSure;
  if (!accepted) return text("threshold", { threshold: percent(threshold) });
  const counts = { right: number(right), accepted: number(accepted), accuracy: percent(right / accepted) };
  return doubts(notSure, classes) ? text("sure", { threshold: percent(threshold), ...counts }) : text("alwaysSure", counts);
}

function addLine(list, words) {
  const line = document.createElement("li");
  line.textContent = words;
  list.append(line);
}
