"""What people call the training, validation and test part of their data, and folds of a cross-validation."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

# In small letters, and without the words of `_FILLERS` around them.
_NAMES = {
    **dict.fromkeys(["train", "training", "trains", "trn"], "train"),
    **dict.fromkeys(
        ["val", "valid", "validation", "validate", "validating", "dev", "development"], "validation"
    ),
    **dict.fromkeys(["test", "testing", "tests", "tst", "eval", "evaluation", "holdout", "heldout"], "test"),
}
# In other languages, as whole names, in small letters, without accents, blanks and signs between.
_ABROAD = {
    "train": """trainingsdaten trainingsdatensatz trainingsbilder trainingsmenge lerndaten entrenamiento
        apprentissage entrainement donneesdapprentissage donneesdentrainement jeudapprentissage
        jeudentrainement treino treinamento addestramento allenamento trening treningowy traning
        traningsdata egitim обучение обучающая обучающаявыборка тренировочная 训练 训练集 训练数据 訓練
        訓練集 訓練データ 訓練用 学習用 学習データ 훈련 학습데이터""",
    "validation": """validierung validierungsdaten validierungsdatensatz validierungsbilder validacion
        validacao validazione validatie walidacja validering dogrulama donneesdevalidation jeudevalidation
        валидация валидационная 验证 验证集 验证数据 驗證 驗證集 検証 検証用 検証データ 검증""",
    "test": """testdaten testdatensatz testbilder testmenge pruebas prueba donneesdetest jeudetest teste
        testes testowy тест тестовая тестоваявыборка тестирование 测试 测试集 测试数据 測試 測試集 テスト
        テスト用 テストデータ 評価用 테스트 평가""",
}
_FILLERS = frozenset(
    {
        *("set", "sets", "data", "dataset", "datasets", "split", "part", "subset", "seg"),
        *("public", "private", "the", "image", "images", "img", "imgs", "picture", "pictures"),
        *("pic", "pics", "photo", "photos", "folder", "dir"),
    }
)


def _letters(name: str) -> str:
    """The letters and digits of a name, small and without accents."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", name))).casefold()


_ABROAD_BY_LETTERS = {_letters(name): split for split, names in _ABROAD.items() for name in names.split()}


def _any_of(words: Iterable[str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_JOINED = re.compile(f"({_any_of(_NAMES)})(?:{_any_of(_FILLERS)})")
_FOLD = re.compile(r"(?:k?[-_ ]?fold|cv)s?[-_ .]*\d+|\d+(?:st|nd|rd|th)?[-_ .]*folds?", re.IGNORECASE)
_PART = re.compile(r"(?:split|part|partition|chunk|batch|shard|subset|set|round)[-_ .]*\d+", re.IGNORECASE)


def split_of(name: str) -> str | None:
    """The split that a folder or a cell names ("train", "validation" or "test"), in any usual spelling.

    Among them Train, TRAINING, train_set, seg_train, trainset, TestImages, val2017, dev, Trainingsdaten,
    prueba, 训练集.
    """
    if (abroad := _ABROAD_BY_LETTERS.get(_letters(name))) or not name.isascii():
        return abroad
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]
    # A year says which edition (val2017), a number in front the order (1_train).
    words = [word for word in words if word not in _FILLERS and not re.fullmatch(r"(?:19|20)\d\d", word)]
    if len(words) > 1 and re.fullmatch(r"\d\d?", words[0]):
        words = words[1:]
    if len(words) != 1:
        return _NAMES.get("".join(words))  # hold-out
    joined = _JOINED.fullmatch(words[0])
    return _NAMES.get(joined[1] if joined else words[0])


def split_within(name: str) -> tuple[str, str] | None:
    """What a name is without the split at its beginning or end, and the split: (cats, test) of cats_test."""
    parts = [part for part in re.split(r"[-_ .]+", name) if part]
    for split, rest in ((parts[-1:], parts[:-1]), (parts[:1], parts[1:])):
        if rest and (known := _NAMES.get(split[0].lower())):
            return "_".join(rest).casefold(), known
    return None


def is_fold(name: str) -> bool:
    """Whether a folder is called as a fold of a cross-validation: fold1, 2nd fold, cv3."""
    return _FOLD.fullmatch(name.strip()) is not None


def is_part(name: str) -> bool:
    """Whether a folder is called as one of several parts of something: fold1, part2, batch_3, split 1."""
    return is_fold(name) or _PART.fullmatch(name.strip()) is not None
