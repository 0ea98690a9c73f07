"""Data sets by name: where the hub keeps them and what their columns are called."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class HubSet:
    """A data set of the hub: id, columns, and where each language and split stands.

    text, label, group: columns (group: of rows that stay on one side of a split, or None). config: the configuration,
    or configs: language -> configuration. train, test: names of the splits (test None: there is none, and the set is
    split); language_splits: language -> split, where the hub keeps languages as splits. rewrites: column -> label, where
    a row holds a text of each label, one a rewrite of the other: they are one group. original: the column of the text that
    `text` is a translation of, which is then the row's group, where the hub has that column.
    """

    hub_id: str
    text: str = "text"
    label: str = "label"
    config: str | None = None
    configs: dict[str, str] = field(default_factory=dict)
    language_splits: dict[str, str] = field(default_factory=dict)
    train: str = "train"
    test: str | None = "test"
    group: str | None = None
    rewrites: dict[str, str] = field(default_factory=dict)
    original: str | None = None


_TWEET_LANGUAGES = dict(
    ar="arabic", en="english", fr="french", de="german", hi="hindi", it="italian", pt="portuguese", es="spanish"
)
_FLORES = dict(en="eng_Latn", es="spa_Latn", de="deu_Latn", ru="rus_Cyrl", zh="zho_Hans", fr="fra_Latn")
_TOXIC = {language: language for language in ("en", "es", "de", "ru", "zh")}
_DETOXIFIED = {language: language for language in ("en", "es", "de", "ru", "zh", "uk", "ar", "hi", "am")}


def _behaviour(model: str, task: str) -> HubSet:
    return HubSet(f"AIM-Harvard/google_{model}_{task}", text="input_prompt", label="model_score", test=None)


# The paper's sets (arXiv 2502.11367, section 3; columns as in its released code) and four classics for `minilm`.
REGISTRY: dict[str, HubSet] = {
    "election_questions": HubSet("Anthropic/election_questions", text="question"),
    "reject_prompts": HubSet("AIM-Harvard/reject_prompts", test=None),
    "jailbreak": HubSet("jackhhao/jailbreak-classification", text="prompt", label="type"),
    "toxicity": HubSet("textdetox/multilingual_toxicity_dataset", label="toxic", language_splits=_TOXIC, test=None),
    "toxicity_translated": HubSet(
        "AIM-Harvard/multilingual_toxicity_dataset",
        text="translation",
        label="toxic",
        language_splits=_TOXIC,
        test=None,
        original="text",
    ),
    "sentiment_tweets": HubSet("cardiffnlp/tweet_sentiment_multilingual", configs=_TWEET_LANGUAGES),
    "sentiment_tweets_translated": HubSet(
        "AIM-Harvard/cardiffnlp_tweet_sentiment_multilingual_translated", text="translation"
    ),
    "massive_scenario": HubSet("willcb/massive-scenario", text="input"),
    "massive_intent": HubSet("willcb/massive-intent", text="input"),
    "banking77": HubSet("legacy-datasets/banking77"),
    "stance_abortion": HubSet("SetFit/tweet_eval_stance_abortion", label="label_text"),
    **{
        f"{model}_{task}": _behaviour(model, task)
        for model in ("gemma_2_2b", "gemma_2_9b", "gemma_2_9b_it")
        for task in ("pubmed_qa", "boolq", "piqa")
    },
    **{
        f"nq_swap_{answer}_{shown}": HubSet(
            f"gallifantjack/pminervini_NQ_Swap_{answer}_answer_{shown}_openai_google_gemma_2_9b_it",
            text="user",
            label="score",
            test=None,
        )
        for answer in ("org", "sub")
        for shown in ("question", "None")
    },
    "sst2": HubSet("SetFit/sst2", label="label_text"),
    "trec": HubSet("SetFit/TREC-QC", label="label_coarse_text"),
    "sib200": HubSet("Davlan/sib200", label="category", configs=_FLORES, group="index_id"),
    "paradetox": HubSet(
        "textdetox/multilingual_paradetox",
        language_splits=_DETOXIFIED,
        test=None,
        rewrites={"toxic_sentence": "toxic", "neutral_sentence": "neutral"},
    ),
    "irony": HubSet("cardiffnlp/tweet_eval", config="irony"),
    "offensive": HubSet("cardiffnlp/tweet_eval", config="offensive"),
}
