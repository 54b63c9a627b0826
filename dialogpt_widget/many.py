"""Answers to many histories at once; the public path of `dialogpt_widget.chat.reply_many`."""

from dialogpt_widget.chat.reply_many import reply_many

__all__ = ["reply_many"]
