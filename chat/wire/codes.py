"""What the wire allows, and every code it says no with."""

from __future__ import annotations

TEXT_LIMIT = 4_000  # characters (Unicode code points) in one message
FRAME_LIMIT = 64 * 1024  # bytes in one WebSocket message
PAGE_LIMIT = 200  # messages in one page of history
BEHIND = 500  # changes missed beyond which a page starts afresh
TOPIC_LIMIT = 200  # characters in the topic of a room
EMOJI_LIMIT = 20  # different emoji below one message
FILE_LIMIT = 25_000_000  # bytes in one file, unless --file-mb says otherwise
FILES_LIMIT = 10  # files of one message
ABOUT_LIMIT = 500  # characters in the description of a file
PEOPLE_LIMIT = 50  # people named in one `people` event
PEOPLE_ALL = 200  # up to this many people everyone is named
SLOW_LEAST, SLOW_LIMIT = 5, 3600  # seconds between two messages of one person in a slow room
KEEP_LIMIT = 3650  # days that a room keeps what is said, unless for ever


class Close:
    """WebSocket close codes, each with what the client should do."""

    NORMAL = 1000  # nothing: it was the client that left
    GOING_AWAY = 1001  # come back within 3 s, with jitter
    PROTOCOL_ERROR = 1002  # come back with backoff; the sender has a bug
    BAD_DATA = 1007  # come back with backoff; a text frame was not UTF-8
    POLICY = 1008  # come back after 30 s; the `refused` before it said why
    TOO_BIG = 1009  # come back, but do not send that message again
    INTERNAL_ERROR = 1011  # come back with backoff; the server could not serve this connection
    RESTART = 1012  # come back within 3 s, with jitter
    REMOVED = 4001  # do not come back
    SIGNED_OUT = 4002  # go to the join page
    REPLACED = 4010  # too many tabs: stop, offer a button


class Refusal(Exception):
    """An expected failure: it goes to the peer as `refused`, and the connection stays.

    `retry` is in milliseconds; None means the same request will never succeed. `until` is the time
    (UTC milliseconds) from which it is allowed again.
    """

    def __init__(
        self,
        code: str,
        retry: int | None = None,
        detail: str | None = None,
        until: int | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail or REFUSALS[code]
        self.retry = retry
        self.until = until


REFUSALS = {  # code -> the sentence a person reads
    "bad_frame": "The server did not understand that.",
    "not_allowed": "You may not do that here.",
    "banned": "A moderator has removed you from this chat.",
    "muted": "A moderator has muted you. You can still read, and react.",
    "announcements": "Only moderators write in this room. You can react to what they say.",
    "room_locked": "This room is locked. It can be read, but nobody can write in it.",
    "invitation": "You need an invitation. Ask someone who is in it for a link.",
    "door_locked": "Nobody new can come in at the moment. Ask someone who is in it.",
    "bad_link": "This link does not work any more. Ask for a new one.",
    "no_cookies": "Your browser does not keep cookies. Allow them, and ask for a new link.",
    "last_owner": "Somebody has to be the owner. Make another person an owner first.",
    "bad_key": "This key is not valid any more. Ask the owner of the chat for a new one.",
    "no_person": "Nobody here is called that any more.",
    "bad_order": "That cannot be done here. Reload the page, and try again.",
    "empty": "There is nothing to send.",
    "too_long": f"That is longer than {TEXT_LIMIT:,} characters.",
    "slow_down": "Slow down a little.",
    "busy": "The server is busy. Your message will be sent again.",
    "full": "The server's disk is full. Your message is kept here and will be sent again.",
    "failed": "The server could not save that.",
    "not_found": "That message does not exist.",
    "not_yours": "Only the person who wrote a message can change it.",
    "deleted": "That message was deleted.",
    "cid_reused": "That was already sent, and was something else.",
    "bad_emoji": "A reaction is one emoji.",
    "too_many_reactions": f"A message has at most {EMOJI_LIMIT} different reactions.",
    "bad_topic": f"A topic has at most {TOPIC_LIMIT} characters, in one line.",
    "no_file": "A file of this message is not on the server any more.",
    "too_many_files": f"A message has at most {FILES_LIMIT} files.",
    "bad_file": f"The description of a file has at most {ABOUT_LIMIT} characters, in one line.",
    "bad_setting": "That cannot be set so.",
    "too_many_rooms": "This server has no space for another room.",
    "crowded": "There are too many connections. Try again in a few minutes.",
    "closing": "The server is restarting. Your message will be sent again.",
    "sign_in": "You are not signed in here. Join again.",
    "bad_name": "That name cannot be used.",
    "name_taken": "Someone here is already called that.",
    "bad_title": "The name of a room needs a letter or a digit.",
    "bad_room": "This room does not exist or was removed.",
    "bad_page": "That part of the history cannot be shown.",
    "no_length": "The size of the file was not told.",
    "too_big": "That file is too big for this server.",
    "too_slow": "The file came too slowly.",
    "quota": "Your files take up all the room that one person has here.",
    "files_full": "The files on this server take up all the room there is for them.",
    "disk_full": "The server's disk has no room for files. Messages still arrive.",
    "wrong_host": "This server does not answer to that address.",
    "cross_origin": "That request came from another site.",
}
