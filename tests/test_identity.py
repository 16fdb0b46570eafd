"""Who one is, over real sockets: names held by one person, whatever happens at once."""

import threading
from pathlib import Path
from typing import Any

from client import Wire
from serving import Site


def post(site: Site, path: str, cookie: str = "", **form: str) -> Any:
    return site.http("POST", path, headers={"Cookie": cookie}, form=form)


def test_two_renames_at_once_and_a_join_do_not_end_the_server(site: Site) -> None:
    for number in range(10):
        cookie = site.join(name=f"Xenia {number}a")
        threads = [
            threading.Thread(target=post, args=(site, "/name", cookie), kwargs={"name": name})
            for name in (f"Yann {number}b", f"Xenia {number}a")
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert post(site, "/join", name=f"Xenia {number}a").status in (303, 409)
        assert site.http("GET", "/healthz").status == 200


def test_joining_again_renames_the_open_tab_too(site: Site) -> None:
    cookie = site.join(name="Ana")
    tab, other = site.wire(cookie=cookie), site.wire()
    assert post(site, "/join", cookie, name="Bea").status == 303
    site.join(name="Ana")
    tab.hear("message", cid=tab.say("who am I?"))
    assert other.hear("message")["name"] == "Bea"
    tab.close()
    other.close()


def test_a_sign_out_that_cannot_be_saved_is_none(tmp_path: Path) -> None:
    """The cookie, the open tab and the name stay as they are; the second try does it."""
    site = Site(tmp_path / "data")
    cookie = site.join(name="Ana")
    tab = site.wire(cookie=cookie)
    db = site.app.site.store._db
    site.call(lambda: db.execute("CREATE TRIGGER no BEFORE UPDATE OF gone ON users BEGIN"
                                 " SELECT RAISE(ABORT, 'no'); END"))  # fmt: skip
    refused = post(site, "/signout", cookie)
    assert refused.status == 500
    assert "Set-Cookie" not in refused.headers
    tab.hear("message", cid=tab.say("still here"))
    assert post(site, "/join", name="ana").status == 409
    site.call(lambda: db.execute("DROP TRIGGER no"))
    assert post(site, "/signout", cookie).status == 303
    assert tab.closed()[0] == 4002
    tab.close()
    assert post(site, "/join", name="ana").status == 303
    site.stop()
    assert any("broke a rule" in line for line in site.log)


def test_who_signs_out_during_a_handshake_gets_no_line(site: Site) -> None:
    cookie = site.join()
    assert post(site, "/signout", cookie).status == 303
    answer = site.http("GET", "/r/lobby/messages", headers={"Cookie": cookie})
    assert answer.status == 403


def test_a_name_that_is_wrong_or_taken_is_refused_before_anything_is_paid(
    tmp_path: Path,
) -> None:
    """Whoever sends bad names without end keeps nobody from joining with a good one."""
    site = Site(tmp_path / "data", rate=10.0)
    assert post(site, "/join", name="Ana").status == 303
    for _ in range(60):
        assert post(site, "/join", name="").status == 400
        assert post(site, "/join", name="ana").status == 409
    assert post(site, "/join", name="Bo").status == 303
    site.stop()


def test_from_http_to_https_everybody_keeps_their_name(site: Site) -> None:
    plain = site.join(name="Ana")
    https = {"X-Forwarded-Proto": "https", "Cookie": plain}
    page = site.http("GET", "/", headers=https)
    assert b'class="composer"' in page.body
    given = page.headers.get_all("Set-Cookie") or []
    (safe,) = [line for line in given if line.startswith("__Host-device=")]
    assert any(line.startswith('device=""') for line in given), "the plain one goes"
    https["Cookie"] = safe.partition(";")[0]
    assert b'class="composer"' in site.http("GET", "/", headers=https).body


def test_an_open_line_is_kept_by_the_cookie_from_before_https(site: Site) -> None:
    wire = Wire(
        site.port,
        cookie=site.join(),
        headers={"X-Forwarded-Proto": "https", "Origin": f"https://127.0.0.1:{site.port}"},
    ).opened()
    wire.hear("live")
    wire.close()
