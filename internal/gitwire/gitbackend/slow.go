package gitbackend

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"
)

// Line is a line between client and server, the same in both directions. It is for
// benchmarks: it passes real time.
type Line struct {
	OneWay         time.Duration // the latency of one direction
	BytesPerSecond int           // of one direction, for all connections together; 0 means no limit
}

// Slow puts the line in front of the server with that address, such as "http://127.0.0.1:80",
// until the test ends, and returns the address of its other end. A connection takes a round
// trip to set up, as a TCP handshake does; neither the slow start of TCP nor TLS is there.
func (l Line) Slow(tb testing.TB, address string) (slowed string) {
	tb.Helper()
	server, err := url.Parse(address)
	if err != nil {
		tb.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	var ends sync.WaitGroup
	tb.Cleanup(func() {
		listener.Close()
		ends.Wait()
	})
	behind := server.Host
	up, down := &direction{line: l}, &direction{line: l}
	ends.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			ends.Go(func() {
				end, err := net.Dial("tcp", behind)
				if err != nil {
					client.Close()
					return
				}
				join(client, end, up, down)
			})
		}
	})
	server.Host = listener.Addr().String()
	return server.String()
}

// join carries a new connection until one side closes it, then closes both.
func join(client, server net.Conn, up, down *direction) {
	connected := time.Now().Add(2 * up.line.OneWay)
	var both sync.WaitGroup
	both.Go(func() { up.carry(server, client, connected) })
	both.Go(func() { down.carry(client, server, time.Time{}) })
	both.Wait()
}

// direction is one direction of a line, which all connections share.
type direction struct {
	line Line

	mu   sync.Mutex
	free time.Time // when the last byte that was put on the line has left
}

// arrival puts n bytes on the line, not before a moment, and returns when they arrive.
func (d *direction) arrival(n int, notBefore time.Time) time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	begin := time.Now()
	if begin.Before(notBefore) {
		begin = notBefore
	}
	if begin.Before(d.free) {
		begin = d.free
	}
	if d.line.BytesPerSecond > 0 {
		begin = begin.Add(time.Duration(n) * time.Second / time.Duration(d.line.BytesPerSecond))
		d.free = begin
	}
	return begin.Add(d.line.OneWay)
}

// carry copies from one end to the other until either fails, then closes what it wrote to,
// and lets nothing more come from the other.
func (d *direction) carry(to io.WriteCloser, from io.ReadCloser, connected time.Time) {
	type packet struct {
		data []byte
		due  time.Time
	}
	const length, underWay = 16 << 10, 64 // 1 MiB: more than a line of 100 Mbit/s holds in 50 ms
	packets := make(chan packet, underWay)
	left := make(chan struct{})
	go func() {
		defer close(packets)
		for {
			data := make([]byte, length)
			n, err := from.Read(data)
			if n > 0 {
				select {
				case packets <- packet{data[:n], d.arrival(n, connected)}:
				case <-left:
					return
				}
			}
			if err != nil {
				return
			}
		}
	}()
	for p := range packets {
		time.Sleep(time.Until(p.due))
		if _, err := to.Write(p.data); err != nil {
			break
		}
	}
	close(left)
	to.Close()
	from.Close()
}
