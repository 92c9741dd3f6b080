package inventory

import "port-bitbucket-exporter/internal/spool"

// NewIn is New with the folder in which the temporary file is.
func NewIn(folder string) *Inventory {
	v := New(1)
	v.store.log = spool.NewLog(folder)
	return v
}
