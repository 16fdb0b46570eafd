/* load: the clients of the benchmark. One thread, epoll, its own frame parser; one JSON line out.
 *
 *   load --port=P --n=1000 --senders=50               talk, each sends when its own copy is back
 *   load --port=P --n=1000 --senders=50 --rate=20000  talk, so many messages a second regardless
 *   load --port=P --n=5000 --mode=idle                connect and stay silent
 *   load --port=P --n=5000 --mode=back --json ...     be there, lose the server, come back
 *   load --port=P --n=4 --mode=pages --top=ID --json  read random pages of the history
 *
 * A message is "marker sender sequence nanoseconds padding": every connection checks that each
 * sender's sequence has no hole, no repeat and no step back, and the time gives the latency.
 * With --json the chat's own wire is spoken, and `rev` is checked as well. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

typedef uint64_t u64;
typedef uint32_t u32;

enum {
    STAMP = 40,              /* marker 8, sender 8, sequence 8, time 16 characters */
    READ = 256 << 10,        /* bytes asked of one recv() */
    LARGEST = 1 << 20,       /* bytes of one frame or page that are still believed */
    EVENTS = 256,
    UNSENT = 1 << 20,        /* bytes a sender holds back before messages count as not offered */
    BASE = 100,              /* connections before memory is first read */
    BUCKETS = 64 * 32,
};
#define SECOND 1000000000ull
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="           /* the example of RFC 6455, 1.3 */
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

enum State { AWAY, SHAKING, CATCHING, LIVE, GONE };
enum Mode { TALK, IDLE, BACK, PAGES };

typedef struct {
    int fd;
    enum State state;
    u32 room, sender;        /* sender: its number plus 1; 0 only listens */
    u32 *last;               /* the newest sequence seen of each sender in the room */
    u64 rev, got, caught;
    char *in, *out, *parts;  /* an unfinished frame; what the socket would not take; fragments */
    size_t in_len, out_len, out_size, parts_len;
    u64 asked;               /* pages: when the request left */
    int waiting;             /* for the socket to take more */
} Conn;

typedef struct {
    u32 conn, seq;           /* seq: of the newest message built */
    u64 again;               /* refused: send `seq` once more at this time */
    int due;                 /* closed loop: its own copy is back */
    u32 seen, refused;       /* seen: the newest that anyone received */
} Sender;

/* What was asked for */
static int port, n = 100, senders = 1, n_rooms = 1, size = 100, parallel = 64, json, server_pid;
static double rate, warm = 0.5, seconds = 2, drain = 5;
static u64 most = UINT64_MAX, top = 1000;
static enum Mode mode = TALK;
static char **cookies;
static int n_cookies;
static const char *name = "bench";

/* What happened */
static Conn *conns;
static Sender *sender;
static int loop, timer, live, shaking, sending, measuring, returning;
static u64 delivered, holes, repeats, disorders, bad_rev, bad_frames, cut, unsent, gapped, refused;
static u64 finals, built;
static u64 histogram[BUCKETS], worst;
static u64 marker;
static char epoch[80], page[READ + LARGEST], pads[4096];

static u64 clock_ns(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

static u64 now_ns(void) { return clock_ns(CLOCK_MONOTONIC); }

static u64 server_cpu(void)
{
    clockid_t id;
    return server_pid && !clock_getcpuclockid(server_pid, &id) ? clock_ns(id) : 0;
}

static u64 server_rss(void)
{
    char path[64];
    unsigned long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", server_pid);
    FILE *f = fopen(path, "r");
    if (!f) return 0;
    if (fscanf(f, "%*u %lu", &pages) != 1) pages = 0;
    fclose(f);
    return (u64)pages * sysconf(_SC_PAGESIZE);
}

static void die(const char *why)
{
    printf("{\"error\": \"%s\", \"live\": %d}\n", why, live);
    exit(1);
}

/* ---- numbers as letters: 'a' to 'p' are 0 to 15, lowest digit first, eight at a time ---- */

static void put8(char *to, u32 x)
{
    for (int i = 0; i < 8; i++, x >>= 4) to[i] = 'a' + (x & 15);
}

static inline u32 get8(const char *from)
{
    u64 x;
    memcpy(&x, from, 8);
    x -= 0x6161616161616161ull;
    x = (x | x >> 4) & 0x00FF00FF00FF00FFull;
    x = (x | x >> 8) & 0x0000FFFF0000FFFFull;
    return x | x >> 16;
}

/* ---- latency: 32 buckets for each power of two, so 3% wide ---- */

static inline void record(u64 ns)
{
    int shift = 58 - __builtin_clzll(ns | 32);
    histogram[shift * 32 + (ns >> shift)]++;
    if (ns > worst) worst = ns;
}

static double percentile(double share)
{
    u64 all = 0, seen = 0;
    for (int i = 0; i < BUCKETS; i++) all += histogram[i];
    for (int i = 0; i < BUCKETS; i++)
        if (all && (seen += histogram[i]) >= all * share) {
            int shift = i < 64 ? 0 : i / 32 - 1;
            return (double)((u64)(i - shift * 32) << shift) / 1e6;
        }
    return 0;
}

/* ---- sending ---- */

static void watch(Conn *c, u32 events, int op)
{
    struct epoll_event e = {.events = events | EPOLLET, .data.u32 = c - conns};
    epoll_ctl(loop, op, c->fd, &e);
}

static void gone(Conn *c)
{
    if (c->state == GONE || c->state == AWAY) return;
    if (c->state == SHAKING) shaking--;
    if (c->state == LIVE) live--;
    c->state = GONE;
    close(c->fd);
    free(c->in), c->in = NULL;
    free(c->parts), c->parts = NULL;
    c->in_len = c->out_len = c->parts_len = c->waiting = 0;
    cut++;
}

static void flush(Conn *c)
{
    if (!c->out_len || c->state != LIVE) return;
    ssize_t sent = send(c->fd, c->out, c->out_len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN) { gone(c); return; }
    int waited = sent < 0 || (size_t)sent < c->out_len;
    if (sent > 0) memmove(c->out, c->out + sent, c->out_len -= sent);
    if (waited != c->waiting) watch(c, waited ? EPOLLIN | EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
    c->waiting = waited;
}

static void append_frame(Conn *c, int opcode, const char *body, size_t len)
{
    static const unsigned char mask[4] = {0x5A, 0xC3, 0x17, 0x9E};
    if (c->out_len + len + 8 > c->out_size) {
        c->out_size = (c->out_len + len + 8) * 2;
        if (!(c->out = realloc(c->out, c->out_size))) abort();
    }
    unsigned char *to = (unsigned char *)c->out + c->out_len;
    *to++ = 0x80 | opcode;
    if (len < 126) *to++ = 0x80 | len;
    else *to++ = 0x80 | 126, *to++ = len >> 8, *to++ = len;
    memcpy(to, mask, 4), to += 4;
    for (size_t i = 0; i < len; i++) to[i] = body[i] ^ mask[i & 3];
    c->out_len = (char *)to + len - c->out;
}

static size_t frame_size(void)
{
    size_t len = size + (json ? sizeof "{'type':'say','cid':'','text':''}" - 1 + 24 : 0);
    return len + (len < 126 ? 6 : 8);
}

/* Builds the sender's message `seq`, stamped with `when`; the cid is its first 24 characters. */
static void say(u32 s, u32 seq, u64 when)
{
    char text[sizeof pads], frame[sizeof pads + 128];
    memcpy(text, &marker, 8);
    put8(text + 8, s), put8(text + 16, seq), put8(text + 24, when), put8(text + 32, when >> 32);
    memcpy(text + STAMP, pads, size - STAMP);
    Conn *c = &conns[sender[s].conn];
    if (!json) { append_frame(c, 1, text, size); return; }
    int len = snprintf(frame, sizeof frame,
                       "{\"type\":\"say\",\"cid\":\"%.24s\",\"text\":\"%.*s\"}", text, size, text);
    append_frame(c, 1, frame, len);
}

static int say_next(u32 s, u64 when)
{
    Conn *c = &conns[sender[s].conn];
    if (c->state != LIVE || built >= most) return 0;
    if (c->out_len > UNSENT) { unsent++; return 0; }
    built++;
    say(s, ++sender[s].seq, when);
    return 1;
}

/* ---- receiving ---- */

static inline void stamped(Conn *c, const char *text, u64 now)
{
    u32 s = get8(text + 8), seq = get8(text + 16);
    if (s >= (u32)senders || s % n_rooms != c->room) { bad_frames++; return; }
    u32 *last = &c->last[s / n_rooms];
    if (seq <= *last) { *(seq == *last ? &repeats : &disorders) += 1; return; }
    holes += seq - *last - 1;
    *last = seq;
    if (seq > sender[s].seen) sender[s].seen = seq;
    c->got++;
    delivered++;
    if (measuring) record(now - (get8(text + 24) | (u64)get8(text + 32) << 32));
    if (c->sender == s + 1) sender[s].due = 1;
}

static int is_marked(const char *text)
{
    u64 first;
    memcpy(&first, text, 8);
    return first == marker;
}

static u64 number(const char *p, size_t len, const char *field)
{
    size_t width = strlen(field);
    const char *at = memmem(p, len, field, width);
    return at ? strtoull(at + width, NULL, 10) : 0;
}

static void refuse(const char *p, size_t len, u64 now)
{
    const char *cid = memmem(p, len, "\"cid\":\"", 7);
    u64 retry = number(p, len, "\"retry\":");
    if (!cid || cid + 7 + 24 > p + len || !is_marked(cid + 7)) { bad_frames++; return; }
    u32 s = get8(cid + 15);
    if (s >= (u32)senders) { bad_frames++; return; }
    refused++;
    if (rate) sender[s].refused++;
    else if (retry) sender[s].again = now + retry * 1000000;
    else finals++;
}

static void now_live(Conn *c)
{
    if (c->state == LIVE) return;
    c->state = LIVE;
    shaking--, live++;
}

static void json_frame(Conn *c, const char *p, size_t len, u64 now)
{
    static size_t hint = 100;   /* where the last message had its text */
    if (len < 16 || memcmp(p, "{\"type\":\"", 9)) { bad_frames++; return; }
    const char *kind = p + 9;
    if (!memcmp(kind, "message\"", 8 < len - 9 ? 8 : len - 9)) {
        u64 rev = 0;
        if (len > 40 && !memcmp(p + 17, ",\"rev\":", 7))
            for (const char *d = p + 24; *d >= '0' && *d <= '9'; d++) rev = rev * 10 + *d - '0';
        else rev = number(p, len, "\"rev\":");
        if (c->state == LIVE ? rev != c->rev + 1 : rev <= c->rev) bad_rev++;
        c->rev = rev;
        if (c->state != LIVE) { c->caught++; return; }
        if (hint + STAMP > len || memcmp(p + hint - 8, "\"text\":\"", 8)) {
            const char *text = memmem(p, len, "\"text\":\"", 8);
            if (!text || text + 8 + STAMP > p + len) return;
            hint = text + 8 - p;
        }
        if (is_marked(p + hint)) stamped(c, p + hint, now);
    } else if (!memcmp(kind, "live\"", 5)) {
        u64 rev = number(p, len, "\"rev\":");
        if (rev < c->rev) bad_rev++;
        c->rev = rev;
        now_live(c);
    } else if (!memcmp(kind, "refused", 7)) {
        refuse(p, len, now);
    } else if (!memcmp(kind, "welcome", 7)) {
        const char *at = memmem(p, len, "\"epoch\":\"", 9);
        if (at && !epoch[0]) sscanf(at + 9, "%79[^\"]", epoch);
        if (memmem(p, len, "\"afresh\":true", 13)) {
            /* Once more, or with a cursor that is too old: what lies between is not sent. */
            u64 head = number(p, len, "\"head\":");
            if (c->state == LIVE || c->rev) gapped += head > c->rev ? head - c->rev : 0;
            c->rev = head;
        }
    }
}

/* Bare text: one message a frame, or several joined by a newline as gorilla's example does. */
static inline void text_frame(Conn *c, const char *p, size_t len, u64 now)
{
    const char *end = p + len;
    for (; p + size <= end && is_marked(p); p += size + 1) stamped(c, p, now);
    if (p != end + 1) bad_frames++;
}

static inline void text_message(Conn *c, const char *p, size_t len, u64 now)
{
    if (json) json_frame(c, p, len, now);
    else text_frame(c, p, len, now);
}

/* A message in several frames (RFC 6455, 5.4): gorilla cuts at its write buffer. */
static void fragment(Conn *c, int first, int final, const char *p, size_t len, u64 now)
{
    if (first == (c->parts != NULL) || c->parts_len + len > LARGEST) {
        bad_frames++;
        gone(c);
        return;
    }
    if (!(c->parts = realloc(c->parts, c->parts_len + len + 1))) abort();
    memcpy(c->parts + c->parts_len, p, len);
    c->parts_len += len;
    if (!final) return;
    text_message(c, c->parts, c->parts_len, now);
    free(c->parts), c->parts = NULL, c->parts_len = 0;
}

/* The bytes used up by whole frames. */
static size_t frames(Conn *c, const char *data, size_t len, u64 now)
{
    size_t at = 0;
    while (len - at >= 2 && c->state != GONE) {
        const unsigned char *h = (const unsigned char *)data + at;
        size_t body = h[1] & 127, head = 2;
        if (body == 126) {
            if (len - at < 4) break;
            body = h[2] << 8 | h[3], head = 4;
        } else if (body == 127) {
            if (len - at < 10) break;
            for (body = 0, head = 2; head < 10; head++) body = body << 8 | h[head];
        }
        if (h[1] & 128 || body > LARGEST) { bad_frames++; gone(c); break; }
        if (len - at < head + body) break;
        const char *p = data + at + head;
        if (h[0] == 0x81) {
            text_message(c, p, body, now);
        } else if (h[0] == 0x01 || (h[0] & 0x7F) == 0) {
            fragment(c, h[0] == 0x01, h[0] == 0x80, p, body, now);
        } else if (h[0] == 0x89) {
            if (!c->out_len) append_frame(c, 10, p, body), flush(c);
        } else if (h[0] == 0x88) gone(c);
        else if (h[0] != 0x8A) bad_frames++;
        at += head + body;
    }
    return at;
}

static size_t shaken(Conn *c, char *data, size_t len)
{
    char *end = memmem(data, len, "\r\n\r\n", 4);
    if (!end) return 0;
    if (memcmp(data, "HTTP/1.1 101", 12) || !memmem(data, end - data, ACCEPT, strlen(ACCEPT))) {
        data[len < 60 ? len : 60] = 0;
        fprintf(stderr, "load: refused: %.12s\n", data);
        bad_frames++;
        gone(c);
        return len;
    }
    c->state = CATCHING;
    if (!json) now_live(c);
    return end + 4 - data;
}

static void ask_page(Conn *c)
{
    char request[1024];
    u64 before = top > 100 ? 51 + (u64)(drand48() * (top - 51)) : top + 1;
    int len = snprintf(request, sizeof request,
                       "GET /r/%s-0/messages?before=%llu&limit=50 HTTP/1.1\r\n"
                       "Host: 127.0.0.1:%d\r\nCookie: %s\r\n\r\n",
                       name, (unsigned long long)before, port, n_cookies ? cookies[0] : "");
    c->asked = now_ns();
    if (send(c->fd, request, len, MSG_NOSIGNAL) != len) gone(c);
}

/* One whole page, or 0 while it is unfinished; it must hold 50 messages. */
static size_t page_read(Conn *c, char *data, size_t len, u64 now)
{
    char *end = memmem(data, len, "\r\n\r\n", 4), *at;
    if (!end) return 0;
    *end = 0;
    char *field = strcasestr(data, "\r\nContent-Length:");
    *end = '\r';
    size_t body = field ? strtoul(field + 17, NULL, 10) : 0, all = end + 4 - data + body, rows = 0;
    if (memcmp(data, "HTTP/1.1 200", 12) || !body) { bad_frames++; gone(c); return len; }
    if (len < all) return 0;
    for (at = end; (at = memmem(at, data + all - at, "\"rev\":", 6)); at += 6) rows++;
    if (rows < 50) holes++;
    if (measuring) record(now - c->asked);
    delivered++;
    ask_page(c);
    return all;
}

/* One recv and its frames; whether more may be waiting (epoll tells of each arrival once). */
static int read_some(Conn *c)
{
    size_t len = c->in_len;
    if (len) memcpy(page, c->in, len);
    ssize_t got = recv(c->fd, page + len, READ, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return 0;
    if (got <= 0) { gone(c); return 0; }
    len += got;
    size_t used = 0;
    u64 now = now_ns();
    if (mode == PAGES) used = page_read(c, page, len, now);
    else if (c->state == SHAKING) used = shaken(c, page, len);
    if (c->state > SHAKING && mode != PAGES) used += frames(c, page + used, len - used, now);
    if (c->state == GONE) return 0;
    if (len - used > LARGEST) { bad_frames++; gone(c); return 0; }
    if (used < len && len - used > c->in_len && !(c->in = realloc(c->in, len - used))) abort();
    if (used < len) memcpy(c->in, page + used, len - used);
    else if (c->in) free(c->in), c->in = NULL;
    c->in_len = len - used;
    return got == READ;
}

/* ---- the loop ---- */

static int step(int wait_ms)
{
    struct epoll_event events[EVENTS];
    int got = epoll_wait(loop, events, EVENTS, wait_ms);
    for (int i = 0; i < got; i++) {
        if (events[i].data.u32 == UINT32_MAX) {
            u64 ticks;
            if (read(timer, &ticks, sizeof ticks) < 0) perror("load: timer");
            continue;
        }
        Conn *c = &conns[events[i].data.u32];
        if (c->state == GONE || c->state == AWAY) continue;
        if (events[i].events & EPOLLOUT) flush(c);
        if (events[i].events & ~EPOLLOUT && c->state != GONE)
            while (read_some(c)) continue;
    }
    return got;
}

static int open_socket(Conn *c)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    /* 4,000 from each address of this machine: the search for a free port stays short. */
    struct sockaddr_in from = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK + (c - conns) / 4000)};
    int yes = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0) die("no more files");
    setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    if (bind(c->fd, (struct sockaddr *)&from, sizeof from)) die("no source address");
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to)) { close(c->fd); return -1; }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    watch(c, EPOLLIN, EPOLL_CTL_ADD);
    return 0;
}

static int dial(Conn *c)
{
    char request[2048], path[200], cookie[600] = "";
    u32 i = c - conns;
    if (!json) snprintf(path, sizeof path, "/ws/%u", c->room);
    else if (!returning) snprintf(path, sizeof path, "/r/%s-%u/ws", name, c->room);
    else snprintf(path, sizeof path, "/r/%s-%u/ws?after=%llu&epoch=%s", name, c->room,
                  (unsigned long long)c->rev, epoch);
    if (n_cookies)
        snprintf(cookie, sizeof cookie, "Cookie: %s\r\n", cookies[(u64)i * n_cookies / n]);
    int len = snprintf(request, sizeof request,
                       "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nOrigin: http://127.0.0.1:%d\r\n"
                       "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " KEY
                       "\r\nSec-WebSocket-Version: 13\r\n%s\r\n", path, port, port, cookie);
    if (open_socket(c)) return -1;
    c->state = SHAKING;
    shaking++;
    if (send(c->fd, request, len, MSG_NOSIGNAL) != len) gone(c);
    return 0;
}

/* Brings connections [from, to) to live, `parallel` handshakes at a time; seconds it took. */
static double arrive(int from, int to)
{
    u64 start = now_ns(), heard = start;
    int failed = cut;
    for (int next = from; next < to || shaking;) {
        if (next < to && shaking < parallel) {
            if (dial(&conns[next++])) die("cannot connect");
            if (shaking < parallel) continue;
        }
        u64 now = now_ns();
        if (step(100)) heard = now;
        if (now - heard > 20 * SECOND) die("handshakes stopped");
        if ((int)cut > failed) die("connection closed while arriving");
    }
    return (now_ns() - start) / 1e9;
}

static void settle(double time)
{
    for (u64 end = now_ns() + time * 1e9; now_ns() < end;) step(20);
}

/* Closed loop: whoever has its own copy back, or may try again, sends. */
static void send_due(u64 now)
{
    for (int s = 0; s < senders; s++) {
        Sender *me = &sender[s];
        Conn *c = &conns[me->conn];
        if (me->again && me->again <= now) {
            me->again = 0;
            say(s, me->seq, now);
        } else if (me->due && sending) {
            me->due = 0;
            say_next(s, now);
        } else continue;
        flush(c);
    }
}

/* Open loop: everything that is due by now, stamped with the time it was due. */
static void send_scheduled(u64 now, u64 start, u64 *next)
{
    static u32 turn;
    u64 due = start + *next * 1e9 / rate, first = turn;
    for (; due <= now; due = start + ++*next * 1e9 / rate) say_next(turn++ % senders, due);
    if (turn - first > (u32)senders) first = turn - senders;
    for (; first < turn; first++) flush(&conns[sender[first % senders].conn]);
}

/* Deliveries that are still owed: what was accepted, to everyone who is still there. What a
 * sender that was cut had sent counts as far as anyone received it. */
static u64 owed(void)
{
    u64 sum = 0, *accepted = calloc(n_rooms, sizeof *accepted);
    for (int s = 0; s < senders; s++) {
        int here = conns[sender[s].conn].state == LIVE;
        accepted[s % n_rooms] += (here ? sender[s].seq : sender[s].seen) - sender[s].refused;
    }
    for (int i = 0; i < n; i++)
        if (conns[i].state == LIVE) sum += accepted[conns[i].room] - conns[i].got;
    free(accepted);
    return sum > gapped && sum >> 63 == 0 ? sum - gapped : 0;
}

static int retrying(void)
{
    for (int s = 0; s < senders; s++)
        if (sender[s].again) return 1;
    return 0;
}

/* Messages no byte of which has left are taken back: they were never offered. */
static void take_back(void)
{
    size_t whole = frame_size();
    for (int s = 0; s < senders; s++) {
        Conn *c = &conns[sender[s].conn];
        u32 frames_left = c->out_len / whole;
        sender[s].seq -= frames_left;
        built -= frames_left;
        unsent += frames_left;
        c->out_len -= frames_left * whole;
    }
}

typedef struct {
    u64 at, own, server, delivered;
} Mark;

static Mark mark(void)
{
    return (Mark){now_ns(), clock_ns(CLOCK_PROCESS_CPUTIME_ID), server_cpu(), delivered};
}

static void report(Mark a, Mark b, u64 lost, u64 backlog, const char *more)
{
    double span = (b.at - a.at) / 1e9;
    u64 got = b.delivered - a.delivered;
    printf("{\"deliveries_per_s\": %.0f, \"deliveries\": %llu, \"messages\": %llu, "
           "\"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f, "
           "\"cpu_per_million\": %.3f, \"server_cpu\": %.3f, \"own_cpu\": %.3f, "
           "\"lost\": %llu, \"repeated\": %llu, \"disordered\": %llu, \"bad_rev\": %llu, "
           "\"bad_frames\": %llu, \"cut\": %llu, \"refused\": %llu, \"refused_for_good\": %llu, "
           "\"gapped\": %llu, \"unsent\": %llu, \"backlog\": %llu, \"rss\": %llu, "
           "\"live\": %d, \"seconds\": %.3f%s}\n",
           got / span, (unsigned long long)got, (unsigned long long)built,
           percentile(.5), percentile(.99), worst / 1e6,
           got ? (b.server - a.server) / 1e3 / got : 0, (b.server - a.server) / 1e9 / span,
           (b.own - a.own) / 1e9 / span,
           (unsigned long long)lost, (unsigned long long)repeats, (unsigned long long)disorders,
           (unsigned long long)bad_rev, (unsigned long long)bad_frames, (unsigned long long)cut,
           (unsigned long long)refused, (unsigned long long)finals, (unsigned long long)gapped,
           (unsigned long long)unsent, (unsigned long long)backlog,
           (unsigned long long)server_rss(), live, span, more);
}

/* Talks for warm + seconds (or until `most` messages), then waits for what is owed. */
static void talk(const char *more)
{
    u64 start = now_ns(), next = 0, begin = start + warm * 1e9, end = begin + seconds * 1e9;
    Mark a = mark(), b = a;
    sending = 1;
    measuring = warm == 0;
    if (rate) {
        long gap = 1e9 / rate > 50000 ? 1e9 / rate : 50000;
        struct itimerspec every = {{gap / 1000000000, gap % 1000000000}, {0, 1}};
        timerfd_settime(timer, 0, &every, NULL);
    } else
        for (int s = 0; s < senders; s++) sender[s].due = 1;
    for (u64 now = start; now < end && live; now = now_ns()) {
        if (rate) send_scheduled(now, start, &next);
        else send_due(now);
        step(20);
        if (!measuring && now >= begin) a = mark(), measuring = 1;
        if (built >= most && !owed()) break;
    }
    b = mark();
    sending = measuring = 0;
    timerfd_settime(timer, 0, &(struct itimerspec){0}, NULL);
    if (rate) take_back();
    u64 heard = now_ns(), limit = heard + drain * 1e9, before = delivered, missing = owed();
    while (missing && live && now_ns() < limit && now_ns() - heard < 2 * SECOND) {
        send_due(now_ns());
        step(20);
        if (delivered != before || retrying()) before = delivered, heard = now_ns();
        missing = owed();
    }
    int quiet = now_ns() - heard >= 2 * SECOND;
    u64 told = gapped + (rate ? refused * n / n_rooms : 0), seen = holes > told ? holes - told : 0;
    u64 lost = quiet ? missing : missing < seen ? missing : seen;
    report(a, b, lost, missing - lost, more);
}

/* Everyone is there; the server goes and comes; `most` messages pass; everyone comes back. */
static void lose_and_return(void)
{
    char more[200];
    u64 missed = most, rev;
    settle(0.5);
    printf("{\"ready\": %d}\n", live);
    fflush(stdout);
    u64 wait = now_ns() + 60 * SECOND;
    while (!cut && now_ns() < wait) step(20);
    u64 down = now_ns();
    while ((int)cut < n && now_ns() < wait) step(20);
    if ((int)cut < n) die("the server did not close everyone");
    cut = 0, returning = 1;
    for (int i = 0; i < n; i++) conns[i].state = AWAY, conns[i].caught = 0;
    while (dial(&conns[0]) && now_ns() < wait) usleep(2000);
    while (!live && !cut && now_ns() < wait) step(20);
    if (!live) die("the server did not come back");
    u64 up = now_ns();
    rev = conns[0].rev;
    conns[sender[0].conn].sender = 0;
    senders = 1, sender[0].conn = 0;
    conns[0].sender = 1;
    for (u32 k = 0; k < missed; k++) {
        u64 limit = now_ns() + 5 * SECOND;
        sender[0].due = 0;
        for (say_next(0, now_ns()), flush(&conns[0]); !sender[0].due && now_ns() < limit;)
            step(20), send_due(now_ns());
        if (!sender[0].due) die("no echo after the restart");
    }
    Mark a = mark();
    double took = arrive(1, n);
    u64 lost = 0;
    for (int i = 1; i < n; i++)
        lost += conns[i].caught < missed ? missed - conns[i].caught : 0;
    for (int i = 0; i < n; i++) bad_rev += conns[i].rev != rev + missed;
    snprintf(more, sizeof more, ", \"away_s\": %.3f, \"back_s\": %.3f, \"missed\": %llu",
             (up - down) / 1e9, took, (unsigned long long)missed);
    report(a, mark(), lost, 0, more);
}

static void read_pages(void)
{
    for (int i = 0; i < n; i++) {
        if (open_socket(&conns[i])) die("cannot connect");
        conns[i].state = LIVE, live++;
        ask_page(&conns[i]);
    }
    settle(warm);
    measuring = 1;
    Mark a = mark();
    settle(seconds);
    report(a, mark(), holes, 0, "");
}

static void read_cookies(const char *path)
{
    FILE *f = fopen(path, "r");
    char line[500];
    if (!f) die("no cookie file");
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\r\n")] = 0;
        if (!(cookies = realloc(cookies, ++n_cookies * sizeof *cookies))) abort();
        cookies[n_cookies - 1] = strdup(line);
    }
    fclose(f);
}

static void options(int argc, char **argv)
{
    static const struct option known[] = {
        {"port", 1, 0, 'p'}, {"n", 1, 0, 'n'}, {"senders", 1, 0, 's'}, {"rooms", 1, 0, 'r'},
        {"rate", 1, 0, 'R'}, {"warm", 1, 0, 'w'}, {"seconds", 1, 0, 't'}, {"drain", 1, 0, 'd'},
        {"size", 1, 0, 'z'}, {"parallel", 1, 0, 'c'}, {"json", 0, 0, 'j'}, {"pid", 1, 0, 'P'},
        {"cookies", 1, 0, 'C'}, {"name", 1, 0, 'N'}, {"messages", 1, 0, 'M'}, {"top", 1, 0, 'T'},
        {"mode", 1, 0, 'm'}, {0}};
    for (int o; (o = getopt_long(argc, argv, "", known, NULL)) != -1;) switch (o) {
        case 'p': port = atoi(optarg); break;
        case 'n': n = atoi(optarg); break;
        case 's': senders = atoi(optarg); break;
        case 'r': n_rooms = atoi(optarg); break;
        case 'R': rate = atof(optarg); break;
        case 'w': warm = atof(optarg); break;
        case 't': seconds = atof(optarg); break;
        case 'd': drain = atof(optarg); break;
        case 'z': size = atoi(optarg); break;
        case 'c': parallel = atoi(optarg); break;
        case 'j': json = 1; break;
        case 'P': server_pid = atoi(optarg); break;
        case 'C': read_cookies(optarg); break;
        case 'N': name = optarg; break;
        case 'M': most = strtoull(optarg, NULL, 10); break;
        case 'T': top = strtoull(optarg, NULL, 10); break;
        case 'm':
            mode = !strcmp(optarg, "idle") ? IDLE : !strcmp(optarg, "back") ? BACK
                 : !strcmp(optarg, "pages") ? PAGES : TALK;
            break;
        default: exit(2);
    }
    if (!port || n < 1 || senders < 1 || senders > n || size < STAMP + 1 || size > 4000)
        die("impossible numbers");
    if (n_rooms < 1 || (n_rooms > 1 && senders != n && mode == TALK))
        die("in several rooms everyone talks");
}

int main(int argc, char **argv)
{
    char more[200];
    options(argc, argv);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    memset(pads, '.', sizeof pads);
    char first[9];
    put8(first, now_ns() ^ getpid() << 20);
    memcpy(&marker, first, 8);
    srand48(1);
    loop = epoll_create1(EPOLL_CLOEXEC);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct epoll_event e = {.events = EPOLLIN, .data.u32 = UINT32_MAX};
    epoll_ctl(loop, EPOLL_CTL_ADD, timer, &e);
    conns = calloc(n, sizeof *conns);
    sender = calloc(senders, sizeof *sender);
    int each = (senders + n_rooms - 1) / n_rooms;
    u32 *last = calloc((size_t)n * each, sizeof *last);
    for (int i = 0; i < n; i++) {
        conns[i].room = i % n_rooms;
        conns[i].last = last + (size_t)i * each;
    }
    for (int s = 0; s < senders; s++) {      /* spread evenly: neither first nor last in line */
        sender[s].conn = (u64)s * n / senders + n / senders / 2;
        conns[sender[s].conn].sender = s + 1;
    }
    if (mode == PAGES) { read_pages(); return 0; }
    int base = n >= 10 * BASE ? BASE : 1;
    arrive(0, base);
    settle(0.1);
    u64 rss = server_rss();
    double took = arrive(base, n);
    if (mode == BACK) { lose_and_return(); return 0; }
    settle(mode == IDLE ? 1.5 : 0.3);
    snprintf(more, sizeof more, ", \"handshakes_per_s\": %.0f, \"bytes_per_connection\": %.0f",
             took > 0 ? (n - base) / took : 0,
             n > base ? ((double)server_rss() - (double)rss) / (n - base) : 0);
    if (mode == IDLE) {
        Mark here = mark();
        settle(0.05);
        report(here, mark(), 0, 0, more);
    } else talk(more);
    return 0;
}
