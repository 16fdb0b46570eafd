/* The limit: as little work as a broadcast over WebSockets can be, on one core, in C.
 *
 *   limit PORT            one send() of a prebuilt frame to each peer for each message
 *   limit --batch PORT    the messages of one wake-up joined, one send() to each peer for all
 *
 * Every text frame goes to everyone who opened the same path, the sender included. Knows no
 * history, no names, no timeouts: nothing here is a chat server, everything here is the floor. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FDS = 1 << 17, ROOMS = 1 << 16, READ = 1 << 16, EVENTS = 1024, BEHIND = 16 << 20 };

typedef struct {            /* bytes, grown by doubling */
    char *at;
    size_t len, size;
} Bytes;

typedef struct {
    int fd, room;           /* room -1: still shaking hands */
    int seat;               /* its index in the room, so that leaving is one move */
    Bytes in, out;          /* an unfinished frame; what the socket would not take */
} Peer;

typedef struct {
    Peer **peers;
    int len, size, dirty;
    Bytes turn;             /* with --batch: the frames of this wake-up */
} Room;

static Peer *peers[FDS];
static Room rooms[ROOMS];
static int dirty[ROOMS], dirty_len, loop, batch;

static void append(Bytes *b, const void *data, size_t len)
{
    if (b->len + len > b->size) {
        b->size = (b->len + len) * 2;
        if (!(b->at = realloc(b->at, b->size))) abort();
    }
    memcpy(b->at + b->len, data, len);
    b->len += len;
}

static void drop(Bytes *b)
{
    free(b->at);
    *b = (Bytes){0};
}

static void leave(Peer *p)
{
    if (p->room >= 0) {
        Room *r = &rooms[p->room];
        r->peers[p->seat] = r->peers[--r->len];
        r->peers[p->seat]->seat = p->seat;
    }
    peers[p->fd] = NULL;
    close(p->fd);
    drop(&p->in);
    drop(&p->out);
    free(p);
}

static void watch(Peer *p, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.fd = p->fd};
    epoll_ctl(loop, EPOLL_CTL_MOD, p->fd, &e);
}

/* One send; what does not fit waits for EPOLLOUT. A peer too far behind is shut, not freed:
 * the caller is walking the room. */
static void give(Peer *p, const char *data, size_t len)
{
    if (!p->out.len) {
        ssize_t n = send(p->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n == (ssize_t)len) return;
        if (n < 0 && errno != EAGAIN) { shutdown(p->fd, SHUT_RDWR); return; }
        if (n > 0) data += n, len -= n;
        watch(p, EPOLLIN | EPOLLOUT);
    }
    if (p->out.len > BEHIND) shutdown(p->fd, SHUT_RDWR);
    else append(&p->out, data, len);
}

static void give_rest(Peer *p)
{
    ssize_t n = send(p->fd, p->out.at, p->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n <= 0) return;
    memmove(p->out.at, p->out.at + n, p->out.len -= n);
    if (!p->out.len) drop(&p->out), watch(p, EPOLLIN);
}

static void give_all(Room *r, const char *data, size_t len)
{
    for (int i = 0; i < r->len; i++) give(r->peers[i], data, len);
}

static void said(int room, const char *text, size_t len)
{
    static char frame[READ + 16];
    size_t head = len < 126 ? 2 : 4;
    frame[0] = (char)0x81;
    frame[1] = len < 126 ? len : 126;
    if (head == 4) frame[2] = len >> 8, frame[3] = len;
    memcpy(frame + head, text, len);
    Room *r = &rooms[room];
    if (!batch) { give_all(r, frame, head + len); return; }
    append(&r->turn, frame, head + len);
    if (!r->dirty) r->dirty = 1, dirty[dirty_len++] = room;
}

static void flush(void)
{
    for (int i = 0; i < dirty_len; i++) {
        Room *r = &rooms[dirty[i]];
        give_all(r, r->turn.at, r->turn.len);
        r->turn.len = r->dirty = 0;
    }
    dirty_len = 0;
}

/* The bytes used up by whole frames, or -1: the peer leaves. */
static ssize_t frames(Peer *p, char *data, size_t len)
{
    size_t at = 0;
    while (len - at >= 6) {
        unsigned char *h = (unsigned char *)data + at;
        size_t n = h[1] & 127, head = 6;
        if (n == 126) n = h[2] << 8 | h[3], head = 8;
        else if (n == 127) return -1;
        if (!(h[1] & 128) || (h[0] & 15) == 8) return -1;
        if (len - at < head + n) break;
        unsigned char *mask = h + head - 4, *text = h + head;
        for (size_t i = 0; i < n; i++) text[i] ^= mask[i & 3];
        if ((h[0] & 15) == 1) said(p->room, (char *)text, n);
        at += head + n;
    }
    return at;
}

static uint32_t roll(uint32_t x, int n) { return x << n | x >> (32 - n); }

/* SHA-1 (RFC 3174) of the 60 bytes that a handshake hashes: always two blocks. */
static void sha1(const char *text, unsigned char out[20])
{
    uint32_t h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0}, w[80];
    unsigned char data[128] = {0};
    memcpy(data, text, 60);
    data[60] = 0x80;
    data[126] = 480 >> 8, data[127] = 480 & 255;
    for (int block = 0; block < 128; block += 64) {
        uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
        for (int i = 0; i < 80; i++) {
            const unsigned char *q = data + block + 4 * i;
            w[i] = i < 16 ? (uint32_t)q[0] << 24 | q[1] << 16 | q[2] << 8 | q[3]
                          : roll(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
            uint32_t f = i < 20 ? (b & c) | (~b & d) : i < 40 ? b ^ c ^ d
                       : i < 60 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
            uint32_t k = i < 20 ? 0x5A827999 : i < 40 ? 0x6ED9EBA1
                       : i < 60 ? 0x8F1BBCDC : 0xCA62C1D6;
            uint32_t t = roll(a, 5) + f + e + k + w[i];
            e = d, d = c, c = roll(b, 30), b = a, a = t;
        }
        h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
    }
    for (int i = 0; i < 20; i++) out[i] = h[i / 4] >> (24 - 8 * (i % 4));
}

/* Answers a whole request; 0 while it is unfinished, -1 if it is none of ours. */
static ssize_t shake(Peer *p, char *data, size_t len)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *end = memmem(data, len, "\r\n\r\n", 4), text[61], accept[29], answer[256];
    if (!end) return 0;
    *end = 0;
    char *key = strcasestr(data, "\r\nSec-WebSocket-Key: ");
    if (!key || end - key < 45 || strncmp(data, "GET /ws/", 8)) return -1;
    snprintf(text, sizeof text, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key + 21);
    unsigned char hash[21] = {0};
    sha1(text, hash);
    for (int i = 0; i < 7; i++) {
        uint32_t three = hash[3 * i] << 16 | hash[3 * i + 1] << 8 | hash[3 * i + 2];
        for (int j = 0; j < 4; j++) accept[4 * i + j] = digits[three >> (18 - 6 * j) & 63];
    }
    accept[27] = '=', accept[28] = 0;
    int n = snprintf(answer, sizeof answer,
                     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", accept);
    p->room = atoi(data + 8) & (ROOMS - 1);
    Room *r = &rooms[p->room];
    if (r->len == r->size) {
        r->size = r->size ? r->size * 2 : 16;
        if (!(r->peers = realloc(r->peers, r->size * sizeof *r->peers))) abort();
    }
    p->seat = r->len;
    r->peers[r->len++] = p;
    give(p, answer, n);
    return end + 4 - data;
}

static void read_from(Peer *p)
{
    static char buffer[2 * READ];
    size_t len = p->in.len;
    if (len) memcpy(buffer, p->in.at, len);
    ssize_t n = recv(p->fd, buffer + len, sizeof buffer - len, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) { leave(p); return; }
    len += n;
    ssize_t used = 0;
    if (p->room < 0) used = shake(p, buffer, len);
    if (used >= 0 && p->room >= 0) {
        ssize_t more = frames(p, buffer + used, len - used);
        used = more < 0 ? -1 : used + more;
    }
    if (used < 0 || len - used > READ + 16) { leave(p); return; }
    p->in.len = 0;
    if ((size_t)used < len) append(&p->in, buffer + used, len - used);
    else if (p->in.at) drop(&p->in);
}

static void welcome(int listener)
{
    for (int i = 0; i < 64; i++) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), yes = 1;
        if (fd < 0) return;
        Peer *p = fd < FDS ? calloc(1, sizeof *p) : NULL;
        if (!p) { close(fd); continue; }
        p->fd = fd, p->room = -1;
        peers[fd] = p;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
        epoll_ctl(loop, EPOLL_CTL_ADD, fd, &e);
    }
}

int main(int argc, char **argv)
{
    batch = argc > 2 && !strcmp(argv[1], "--batch");
    if (argc != 2 + batch) { fprintf(stderr, "usage: limit [--batch] PORT\n"); return 2; }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);

    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1 + batch])),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) {
        perror("limit");
        return 1;
    }
    loop = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event e = {.events = EPOLLIN, .data.fd = listener}, events[EVENTS];
    epoll_ctl(loop, EPOLL_CTL_ADD, listener, &e);
    for (;;) {
        int n = epoll_wait(loop, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) { welcome(listener); continue; }
            Peer *p = peers[fd];
            if (p && events[i].events & EPOLLOUT && p->out.len) give_rest(p);
            if (p && events[i].events & ~EPOLLOUT) read_from(p);
        }
        flush();
    }
}
