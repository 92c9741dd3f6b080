package spool

// Fill lets every further write fail, as a full disk does.
func Fill(l *Log) {
	l.spool.mu.Lock()
	defer l.spool.mu.Unlock()
	l.spool.failed = true
}
