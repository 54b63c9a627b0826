"""MMI offline: mini's own backward model chooses, as transformers would by the paper's loss."""

from __future__ import annotations

import numpy as np
import torch
from transformers import AutoModelForCausalLM

from dialogpt_widget.chat.chat import Chat
from dialogpt_widget.engine.loading.names import BACKWARD
from dialogpt_widget.engine.model import ChatModel
from dialogpt_widget.settings import Settings


def test_the_embedded_backward_model_chooses_what_the_message_can_be_guessed_from(mini: ChatModel) -> None:
    chat = Chat(mini, settings=Settings(candidates=8, temperature=1.0, seed=3, max_context=256))
    chosen = chat.send("Do you like music?")
    made = chat.candidates()
    assert made.ranking is not None
    (name,) = made.ranking.scores
    assert name == "MMI"
    theirs = AutoModelForCausalLM.from_pretrained(BACKWARD["mini"], dtype=torch.float32).eval()
    source = [*chat.path[0].ids, mini.eos]
    expected = []
    for turn in made.turns:
        ids = [*turn.ids, mini.eos, *source]
        labels = [-100] * (len(turn.ids) + 1) + source
        with torch.inference_mode():
            expected.append(-float(theirs(torch.tensor([ids]), labels=torch.tensor([labels])).loss))
    np.testing.assert_allclose(made.ranking.scores["MMI"], expected, atol=1e-4)
    assert chosen is made.turns[int(np.argmax(expected))]


def test_a_mix_of_both_directions(mini: ChatModel) -> None:
    share = 0.25
    chat = Chat(mini, settings=Settings(candidates=6, seed=1, max_context=256))
    chat.rerank = {"likelihood": 1 - share, "mmi": share}
    chat.send("My dog is ill.")
    ranking = chat.candidates().ranking
    assert ranking is not None
    both = (1 - share) * ranking.scores["log-probability"] + share * ranking.scores["MMI"]
    np.testing.assert_allclose(ranking.total, both)


def test_the_backward_model_tells_a_fitting_reply_from_another(mini: ChatModel) -> None:
    from dialogpt_widget.engine.rerank import MMI

    scorer = MMI(str(BACKWARD["mini"]))
    pairs = [
        ("My dog is ill.", "I'm sorry about your dog.", "I love pizza."),
        ("What should I cook tonight?", "How about pasta with tomatoes?", "I'm sorry to hear that."),
        ("I can't sleep.", "Is something on your mind that keeps you awake?", "Happy birthday!"),
    ]
    for message, fits, strays in pairs:
        good, bad = scorer.score([mini.encode(message)], [mini.encode(fits), mini.encode(strays)])
        assert good > bad, message
