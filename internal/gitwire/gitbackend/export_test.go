package gitbackend

import "net"

// Join puts the line between the two ends of a connection.
func (l Line) Join(client, server net.Conn) {
	join(client, server, &direction{line: l}, &direction{line: l})
}
