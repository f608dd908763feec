"""The table of platforms: where each takes messages, who may send them, what its rules say, how it says yes,
and what else it answers, each with what that means.

Another platform is another row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

import orjson
from msgspec.structs import replace
from standardwebhooks.webhooks import Webhook as Receiver
from standardwebhooks.webhooks import WebhookVerificationError

from bridge.channels import Grant, Request
from bridge.channels.line import messages as line_messages
from bridge.channels.matrix import messages as matrix_messages
from bridge.channels.teams import messages as teams_messages
from bridge.channels.twilio import messages as twilio_messages
from bridge.channels.whatsapp import messages as whatsapp_messages
from bridge.errors import ContentRefused, Forbidden, Moved, Rejected, Unauthorized, Unavailable, Uncertain
from bridge.secret import Secret
from tests.channels import (
    discord_rules,
    googlechat_rules,
    line_rules,
    matrix_rules,
    messenger_rules,
    slack_rules,
    teams_rules,
    telegram_rules,
    twilio_rules,
    viber_rules,
    whatsapp_rules,
)
from tests.channels.fake import COMMON, SITE, Platform, Wait, page, says
from tests.workers.platform import Answer

TOKEN: Final = "123456:a-token-that-must-never-be-seen"


def body(request: Request) -> Any:
    return orjson.loads(request.body)


def last(request: Request) -> str:
    return urlsplit(request.url).path.rpartition("/")[2]


def asked(request: Request, name: str) -> str:
    return parse_qs(urlsplit(request.url).query)[name][0]


def _matrix() -> Platform:
    media = "mxc://x.example/kept"

    def no(status: int, code: str, **more: Any) -> Answer:
        headers = {name: more.pop(name) for name in [*more] if name == "retry_after"}
        return says(status, {"errcode": code, "error": "It is so.", **more}, **headers)

    def room(request: Request) -> str:
        return unquote(urlsplit(request.url).path.split("/")[5])

    def kept(request: Request) -> Answer | None:
        upload = urlsplit(request.url).path == "/_matrix/media/v3/upload"
        return says(200, {"content_uri": media}) if upload else None

    return Platform(
        kind="matrix",
        settings={"token": TOKEN, "user_id": "@bot:x.example", "api_url": "{}"},
        chats=("!abc:x.example", "!def:x.example"),
        memo={matrix_messages.EVENT: "$theirs"},
        place="/_matrix/client/v3/rooms/[^/]+/(send/m.room.message|typing|receipt/m.read)/[^/]+",
        credentials={"authorization": f"Bearer {TOKEN}"},
        problems=lambda request: matrix_rules.problems(request, room(request)),
        mid="${}",
        yes=lambda mid, request: says(200, {"event_id": mid}),
        sign=lambda request: None if "/send/" in request.url else says(200, {}),
        aside=kept,
        keeps=media,
        key=lambda request: f"{room(request)} {last(request)}",
        refused=lambda problem: no(400, "M_BAD_JSON"),
        answers={
            "not in the room": (no(403, "M_FORBIDDEN"), Rejected),
            "no such room": (no(404, "M_NOT_FOUND"), Rejected),
            "too large": (no(413, "M_TOO_LARGE"), ContentRefused),
            "bad JSON": (no(400, "M_BAD_JSON"), ContentRefused),
            "token refused": (no(401, "M_UNKNOWN_TOKEN"), Unauthorized),
            "rate limited": (
                no(429, "M_LIMIT_EXCEEDED", retry_after="2", retry_after_ms=1686),
                Wait(2.0, "channel"),
            ),
            "rate limited by an older one": (
                no(429, "M_LIMIT_EXCEEDED", retry_after_ms=1686),
                Wait(1.686, "channel"),
            ),
            "down": (no(500, "M_UNKNOWN"), Unavailable),
        },
    )


def _slack() -> Platform:
    def no(error: str, status: int = 200, **headers: str) -> Answer:
        return says(status, {"ok": False, "error": error}, **headers)

    return Platform(
        kind="slack",
        settings={"token": TOKEN, "api_url": "{}/api"},
        chats=("C0123", "C4567"),
        place="/api/chat.postMessage",
        credentials={"authorization": f"Bearer {TOKEN}"},
        problems=lambda request: slack_rules.problems(last(request), body(request)),
        mid="1700000000.{:06}",
        yes=lambda mid, request: says(200, {"ok": True, "channel": body(request)["channel"], "ts": mid}),
        refused=lambda problem: no("invalid_arguments"),
        answers={
            "archived": (no("is_archived"), Rejected),
            "access denied": (no("access_denied"), Rejected),
            "bad blocks": (no("invalid_blocks"), ContentRefused),
            "token revoked": (no("token_revoked"), Unauthorized),
            "no access to that workspace": (no("team_access_not_granted"), Forbidden),
            "rate limited": (no("ratelimited", 429, retry_after="30"), Wait(30.0)),
            "rate limited in a 200": (no("rate_limited", retry_after="3"), Wait(3.0)),
            "unavailable in a 200": (no("service_unavailable"), Unavailable),
            "down": (no("internal_error", 500), Unavailable),
            "perhaps done": (no("fatal_error"), Uncertain),
        },
    )


def _discord() -> Platform:
    def no(status: int, code: int, **more: Any) -> Answer:
        return says(status, {"message": "No", "code": code, **more})

    def limited(seconds: float, everywhere: bool) -> Answer:
        wait = {"message": "You are being rate limited.", "retry_after": seconds, "global": everywhere}
        return says(429, wait, retry_after=str(int(seconds) + 1))

    return Platform(
        kind="discord",
        settings={"token": TOKEN, "api_url": "{}/api/v10"},
        chats=("1234567890", "9876543210"),
        place="/api/v10/channels/[0-9]+/(messages|typing)",
        credentials={"authorization": f"Bot {TOKEN}"},
        problems=lambda request: discord_rules.problems(last(request), body(request)),
        mid="{}",
        yes=lambda mid, request: says(200, {"id": mid, "channel_id": request.url.split("/")[-2]}),
        sign=lambda request: Answer(status=204, body=b"") if last(request) == "typing" else None,
        key=lambda request: str(body(request)["nonce"]),
        answers={
            "refuses direct messages": (no(403, 50007), Rejected),
            "the words are forbidden": (no(400, 200000), Rejected),
            "invalid form": (no(400, 50035), ContentRefused),
            "token refused": (no(401, 0), Unauthorized),
            "rate limited": (limited(1.25, everywhere=False), Wait(1.25)),
            "slow mode": (no(429, 20016, retry_after=30.5), Wait(30.5)),
            "rate limited everywhere": (limited(64.57, everywhere=True), Wait(64.57, "channel")),
            "the firewall": (page(429, retry_after="600"), Wait(600.0, "channel")),
            "down": (no(500, 0), Unavailable),
        },
    )


def _meta(code: int, subcode: int = 0, status: int = 400, **headers: str) -> Answer:
    error = {"message": "No", "type": "OAuthException", "code": code, "error_subcode": subcode}
    return says(status, {"error": {**error, "fbtrace_id": "A"}}, **headers)


def _usage(kind: str, minutes: int) -> str:
    limit = {"type": kind, "call_count": 100, "estimated_time_to_regain_access": minutes}
    return orjson.dumps({"66782684": [limit]}).decode()


def _whatsapp() -> Platform:
    head = {"messaging_product": "whatsapp", "contacts": [{"wa_id": "1"}]}
    return Platform(
        kind="whatsapp",
        settings={"token": TOKEN, "phone_number_id": "1065", "api_url": "{}/v25.0"},
        chats=("306912345678", "306987654321"),
        memo={whatsapp_messages.MESSAGE: "wamid.theirs"},
        place="/v25.0/1065/messages",
        credentials={"authorization": f"Bearer {TOKEN}"},
        problems=lambda request: whatsapp_rules.problems(body(request)),
        mid="wamid.{}",
        yes=lambda mid, request: says(200, {**head, "messages": [{"id": mid}]}),
        sign=lambda request: says(200, {"success": True}) if "status" in body(request) else None,
        refused=lambda problem: _meta(100),
        answers={
            "undeliverable": (_meta(131026), Rejected),
            "undeliverable in a 200": (_meta(131026, status=200), Rejected),
            "after 24 hours": (_meta(131047), Rejected),
            "bad media": (_meta(131053), ContentRefused),
            "token expired": (_meta(190, 463, 401), Unauthorized),
            "not paid for": (_meta(131042), Unauthorized),
            "too many to one user": (_meta(131056), Unavailable),
            "too many of the number": (_meta(130429, status=429), Wait(1.0, "channel")),
            "too many of the account": (_meta(80007), Wait(60.0, "channel")),
            "too many, with a time": (
                _meta(80007, x_business_use_case_usage=_usage("whatsapp", 19)),
                Wait(1140.0, "channel"),
            ),
            "down": (_meta(131016, status=503), Unavailable),
        },
    )


def _messenger(kind: messenger_rules.Platform) -> Platform:
    return Platform(
        kind=kind,
        settings={"token": TOKEN, "api_url": "{}/v25.0"},
        chats=("7234567890123456", "7934567890123456"),
        place="/v25.0/me/messages",
        credentials={"authorization": f"Bearer {TOKEN}"},
        problems=lambda request: messenger_rules.problems(body(request), kind),
        mid="m_{}",
        yes=lambda mid, request: says(200, {**body(request)["recipient"], "message_id": mid}),
        sign=lambda request: says(200, {"recipient_id": "7"}) if "sender_action" in body(request) else None,
        refused=lambda problem: _meta(100),
        answers={
            "unavailable person": (_meta(551, 1545041), Rejected),
            "after 24 hours": (_meta(10, 2018278), Rejected),
            "bad file": (_meta(100, 2018008), ContentRefused),
            "token expired": (_meta(190, 463, 401), Unauthorized),
            "token expired in a 200": (_meta(190, 463, 200), Unauthorized),
            "not receiving messages": (_meta(200), Forbidden),
            "not a tester": (_meta(200, 2018028, 403), Forbidden),
            "no permission": (_meta(10), Forbidden),
            "too many calls": (_meta(613), Wait(5.0, "channel")),
            "too many of the day": (
                _meta(80006, x_business_use_case_usage=_usage("messenger", 19)),
                Wait(1140.0, "channel"),
            ),
            "failed for now": (_meta(1200, status=500), Unavailable),
        },
    )


def _line() -> Platform:
    def no(status: int, message: str, *properties: str) -> Answer:
        details = [{"message": "May not be empty", "property": each} for each in properties]
        return says(status, {"message": message, **({"details": details} if details else {})})

    def sent(mid: str) -> dict[str, Any]:
        return {"sentMessages": [{"id": mid, "quoteToken": "q"}]}

    taken = {"message": "The retry key is already accepted"}
    return Platform(
        kind="line",
        settings={"token": TOKEN, "api_url": "{}"},
        chats=("U" + "a" * 32, "U" + "b" * 32),
        memo={line_messages.READ: "theirs"},
        place="/v2/bot/(message/push|chat/(loading/start|markAsRead))",
        credentials={"authorization": f"Bearer {TOKEN}"},
        problems=lambda request: line_rules.problems(urlsplit(request.url).path, body(request)),
        mid="46123096684206{:04}",
        yes=lambda mid, request: says(200, sent(mid)),
        sign=lambda request: None if last(request) == "push" else says(202, {}),
        key=lambda request: request.headers["x-line-retry-key"],
        again=lambda mid, request: says(409, {**taken, **sent(mid)}, x_line_accepted_request_id="r"),
        refused=lambda problem: no(400, "The request body has 1 error(s)", "messages[0]"),
        answers={
            "no such user": (no(400, "The property, 'to', in the request body is invalid"), Rejected),
            "gone": (no(404, "Not found"), Rejected),
            "bad message": (
                no(400, "The request body has 1 error(s)", "messages[0].originalContentUrl"),
                ContentRefused,
            ),
            "token refused": (no(401, "Authentication failed"), Unauthorized),
            "this month's messages": (no(429, "You have reached your monthly limit."), Unauthorized),
            "rate limited": (no(429, "The API rate limit has been exceeded."), Wait(1.0, "channel")),
            "down": (no(500, "The server has an error"), Unavailable),
        },
    )


def _viber() -> Platform:
    def no(status: int, message: str, http: int = 200) -> Answer:
        return says(http, {"status": status, "status_message": message, "chat_hostname": "SN-1"})

    return Platform(
        kind="viber",
        settings={"token": TOKEN, "sender": "Bot", "api_url": "{}"},
        chats=("01234567890A=", "09876543210A="),
        place="/pa/send_message",
        credentials={"x-viber-auth-token": TOKEN},
        problems=lambda request: viber_rules.problems(body(request)),
        mid="57413118035717{:04}",
        yes=lambda mid, request: says(200, {"status": 0, "status_message": "ok", "message_token": int(mid)}),
        refused=lambda problem: no(3, "badData"),
        answers={
            "not subscribed": (no(6, "receiverNotSubscribed"), Rejected),
            "bad data": (no(3, "badData"), ContentRefused),
            "too old a version": (no(13, "apiVersionNotSupported"), ContentRefused),
            "token refused": (no(2, "invalidAuthToken"), Unauthorized),
            "no balance": (no(24, "noBalance"), Unauthorized),
            "too many to one user": (no(12, "tooManyRequests"), Unavailable),
            "down": (no(99, "generalError", 500), Unavailable),
        },
    )


def _twilio(variant: str, sender: str) -> Platform:
    account = "AC" + "0" * 32

    def no(status: int, code: int, **headers: str) -> Answer:
        return says(status, {"code": code, "message": "No", "more_info": "…", "status": status}, **headers)

    def queued(mid: str, **more: Any) -> dict[str, Any]:
        return {"sid": mid, "status": "queued", "error_code": None, "error_message": None, **more}

    def problems(request: Request) -> list[str]:
        """The SDK is not told of another address."""
        there = "https://messaging.twilio.com" if is_sign(request) else "https://api.twilio.com"
        return twilio_rules.problems(replace(request, url=request.url.replace(SITE, there)))

    def is_sign(request: Request) -> bool:
        return last(request) == "Typing.json"

    return Platform(
        kind="twilio",
        variant=variant,
        settings={
            "account_sid": account,
            "auth_token": TOKEN,
            "sender": sender,
            "api_url": "{}",
        },
        chats=("306900000000", "306900000001"),
        memo={twilio_messages.MESSAGE: "SM" + "f" * 32},
        place=f"/2010-04-01/Accounts/{account}/Messages.json|/v2/Indicators/Typing.json",
        problems=problems,
        mid="SM{:032}",
        yes=lambda mid, request: says(201, queued(mid)),
        sign=lambda request: says(200, {"success": True}) if is_sign(request) else None,
        refused=lambda problem: no(400, 21602),
        answers={
            "said STOP": (no(400, 21610), Rejected),
            "failed at once": (
                says(201, queued("SM1", status="failed", error_code=30003)),
                Rejected,
            ),
            "bad media": (no(400, 21620), ContentRefused),
            "credentials refused": (no(401, 20003), Unauthorized),
            "not from this sender": (no(400, 21606), Forbidden),
            "too many at once": (no(429, 20429), Wait(1.0, "channel")),
            "too many, with a time": (no(429, 20429, retry_after="7"), Wait(7.0, "channel")),
            "too many for this day": (no(400, 63038), Wait(900.0, "channel")),
            "too many between two": (no(400, 14107), Unavailable),
            "down": (no(500, 20500), Unavailable),
        },
    )


def _googlechat() -> Platform:
    def no(code: int, status: str, message: str = "It is so.", **headers: str) -> Answer:
        return says(code, {"error": {"code": code, "message": message, "status": status}}, **headers)

    return Platform(
        kind="googlechat",
        settings={"token": TOKEN, "api_url": "{}"},
        chats=("spaces/AAAA", "spaces/BBBB"),
        place=r"/v1/spaces/[A-Z]+/messages\?.*",
        credentials={"authorization": f"Bearer {TOKEN}"},
        problems=googlechat_rules.problems,
        mid="spaces/AAAA/messages/{0}.{0}",
        yes=lambda mid, request: says(200, {"name": mid}),
        key=lambda request: asked(request, "requestId"),
        refused=lambda problem: no(400, "INVALID_ARGUMENT"),
        answers={
            "not a member": (no(403, "PERMISSION_DENIED", "This Chat app is not a member."), Rejected),
            "bad argument": (no(400, "INVALID_ARGUMENT"), ContentRefused),
            "token refused": (no(401, "UNAUTHENTICATED"), Unauthorized),
            "no scope": (no(403, "PERMISSION_DENIED", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"), Unauthorized),
            "quota exceeded": (no(429, "RESOURCE_EXHAUSTED"), Unavailable),
            "quota, with a time": (no(429, "RESOURCE_EXHAUSTED", retry_after="7"), Wait(7.0)),
            "met another": (no(409, "ABORTED"), Unavailable),
            "down": (no(503, "UNAVAILABLE"), Unavailable),
        },
    )


def _teams() -> Platform:
    grant = Grant(url=SITE, client_id="bot", client_secret=Secret(TOKEN), scope="s")

    def no(status: int, code: str, **headers: str) -> Answer:
        return says(status, {"error": {"code": code, "message": "It is so."}}, **headers)

    def problems(request: Request) -> list[str]:
        """As it was before the sender traded the grant for the token that it bears."""
        headers = {name: value for name, value in request.headers.items() if name != "authorization"}
        return teams_rules.problems(replace(request, headers=headers, grant=grant))

    def token(request: Request) -> Answer | None:
        granted = {"token_type": "Bearer", "expires_in": 3599, "access_token": TOKEN}
        return says(200, granted) if last(request) == "token" else None

    return Platform(
        kind="teams",
        settings={
            "app_id": "bot",
            "app_password": TOKEN,
            "api_url": "{}/teams",
            "login_url": "{}/login",
        },
        chats=("a:17I0kl9Ekp", "19:253b1f34@thread.tacv2"),
        memo={teams_messages.SERVICE_URL: "{}/emea/"},
        place="/emea/v3/conversations/[^/]+/activities",
        credentials={"authorization": f"Bearer {TOKEN}"},
        problems=problems,
        mid="1:{}",
        yes=lambda mid, request: says(201, {"id": mid}),
        sign=lambda request: says(201, {"id": "0"}) if body(request)["type"] == "typing" else None,
        aside=token,
        refused=lambda problem: no(400, "BadArgument"),
        answers={
            "blocked by the user": (no(403, "ConversationBlockedByUser"), Rejected),
            "not in the roster": (no(403, "BotNotInConversationRoster"), Rejected),
            "no conversation": (no(404, "ConversationNotFound"), Rejected),
            "bad argument": (no(400, "BadArgument"), ContentRefused),
            "too big": (no(413, "MessageSizeTooBig"), ContentRefused),
            "token refused": (no(401, "Unauthorized"), Unauthorized),
            "throttled": (no(429, "Throttled"), Unavailable),
            "throttled, with a time": (no(429, "Throttled", retry_after="7"), Wait(7.0)),
            "met another": (no(412, "PreconditionFailed"), Unavailable),
            "down": (no(500, "ServiceError"), Unavailable),
        },
    )


def _telegram() -> Platform:
    def no(code: int, description: str, wait: str = "", **parameters: Any) -> Answer:
        said = {"ok": False, "error_code": code, "description": description}
        headers = {"retry_after": wait} if wait else {}
        return says(code, {**said, **({"parameters": parameters} if parameters else {})}, **headers)

    def yes(mid: str, request: Request) -> Answer:
        message = {"message_id": int(mid), "date": 1_700_000_000, "chat": {"id": body(request)["chat_id"]}}
        return says(200, {"ok": True, "result": message})

    return Platform(
        kind="telegram",
        settings={"token": TOKEN, "api_url": "{}"},
        chats=("4711", "-1001234"),
        moves_to="-1009",
        place=f"/bot{TOKEN}/[a-zA-Z]+",
        problems=lambda request: telegram_rules.problems(last(request), body(request)),
        mid="{}",
        yes=yes,
        sign=lambda request: (
            says(200, {"ok": True, "result": True}) if last(request) == "sendChatAction" else None
        ),
        refused=lambda problem: no(400, "Bad Request: MESSAGE_INVALID"),
        answers={
            "blocked": (no(403, "Forbidden: bot was blocked by the user"), Rejected),
            "no chat": (no(400, "Bad Request: chat not found"), Rejected),
            "cannot fetch": (no(400, "Bad Request: failed to get HTTP URL content"), ContentRefused),
            "token refused": (no(401, "Unauthorized"), Unauthorized),
            "too many": (no(429, "Too Many Requests: retry after 35", "35", retry_after=35), Wait(35.0)),
            "upgraded": (
                no(
                    400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=-1009
                ),
                Moved,
            ),
            "down": (no(500, "Internal Server Error"), Unavailable),
        },
    )


def _webhook() -> Platform:
    secret = "whsec_" + "c2VjcmV0LW9mLXRoaXMtdGVzdC1vbmx5LTMyYnl0ZXM="

    def problems(request: Request) -> list[str]:
        try:
            said = Receiver(secret).verify(request.body, dict(request.headers))
        except WebhookVerificationError as error:
            return [str(error)]
        return [] if said.keys() == {"type", "chat", "data"} else [f"posted {said.keys()}"]

    def sign(request: Request) -> Answer | None:
        return Answer(status=204, body=b"") if body(request)["type"] in ("typing", "receipt") else None

    return Platform(
        kind="webhook",
        settings={"secret": secret, "url": "{}/hook"},
        chats=("your-session-1", "your-session-2"),
        place="/hook",
        problems=problems,
        yes=lambda mid, request: Answer(status=204, body=b""),
        sign=sign,
        key=lambda request: request.headers["webhook-id"],
        answers={
            "a proxy that refuses": (page(403), Rejected),
            "a bad gateway": (page(502), Unavailable),
            "a login page": (page(200), None),
            "a flood": (COMMON["a flood"][0], None),
            "a proxy's wait": (page(503, retry_after="60"), Wait(60.0, "channel")),
            "bad request": (says(400), Rejected),
            "secret refused": (says(401), Unauthorized),
            "gone": (says(410), Unauthorized),
            "slow down": (says(429, retry_after="30"), Wait(30.0, "channel")),
            "slow down, some time": (says(429), Unavailable),
            "down": (says(500), Unavailable),
        },
    )


PLATFORMS: Final[Mapping[str, Platform]] = {
    row.name: row
    for row in (
        _discord(),
        _googlechat(),
        _messenger("instagram"),
        _line(),
        _matrix(),
        _messenger("messenger"),
        _slack(),
        _teams(),
        _telegram(),
        _twilio("sms", "+15550001111"),
        _twilio("whatsapp", "whatsapp:+15550001111"),
        _viber(),
        _webhook(),
        _whatsapp(),
    )
}
