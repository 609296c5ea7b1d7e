// The page begins: the model is read, and everything is connected.

function tell(words) {
  element("problem").textContent = words;
  element("problem").hidden = !words;
}

function start() {
  const model = JSON.parse(element("model").textContent);
  const answerer = makeAnswerer(model);
  if (!answerer) {
    chooseLanguage(() => {
      showFacts(model);
      tell(text("noEngine"));
    });
    element("ask").hidden = true;
    return;
  }
  const view = new AnswerView(answerer);
  const one = async ({ name, file }) => {
    element("said").textContent = text("reading", { file: name });
    try {
      view.show(name, file, await answerer.look(file));
    } catch (error) {
      view.hide();
      tell(text("cannotRead", { file: name, reason: reasonOf(error) }));
      element("said").textContent = "";
    }
  };
  const table = new Table(answerer, async (row) => {
    tell("");
    await one(row);
    element("answer").scrollIntoView({ block: "nearest" });
  });
  listen((pictures) => {
    tell("");
    if (!pictures.length) tell(text("noPictures"));
    else if (pictures.length === 1) {
      table.hide();
      one(pictures[0]);
    } else {
      view.hide();
      table.run(pictures);
    }
  }, tell);
  chooseLanguage(() => {
    tell("");
    showFacts(model);
    view.write();
    table.write();
  });
}

start();
