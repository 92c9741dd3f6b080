package inventory

import (
	"encoding/binary"

	"port-bitbucket-exporter/internal/catalog"
)

// appendEntity encodes what the run did with an entity, but for its flags, which the table has.
// digest is the position of the record of what Port stored of it, or noDigest.
func appendEntity(record []byte, k Kept, digest int64) []byte {
	record = append(record, recordEntity)
	record = binary.AppendUvarint(record, uint64(digest-noDigest))
	record = appendText(record, k.Ref.Blueprint)
	record = appendText(record, k.Ref.Identifier)
	record = appendText(record, k.Source)
	record = binary.AppendUvarint(record, k.Title)
	record = binary.AppendUvarint(record, uint64(k.CountedBy))
	record = append(record, truth(k.Touched), truth(k.Created))
	record = binary.AppendUvarint(record, uint64(len(k.Results)))
	for _, r := range k.Results {
		record = binary.AppendUvarint(record, uint64(r.Entry.Resource))
		record = binary.AppendUvarint(record, uint64(r.Entry.Number))
		record = append(record, truth(r.Rejected))
		record = appendText(record, string(r.Digest))
		record = appendText(record, r.Address)
	}
	return record
}

// noDigest stands for the position of what Port stored of an entity, where that is nothing.
const noDigest = -1

// entity takes what the run did with an entity, but for its flags.
func (d *decoder) entity() (k Kept, digest int64, err error) {
	digest = int64(d.number()) + noDigest
	k.Ref = catalog.Ref{Blueprint: d.text(), Identifier: d.text()}
	k.Source, k.Title, k.CountedBy = d.text(), d.number(), int(d.number())
	k.Touched, k.Created = d.number() != 0, d.number() != 0
	for n := d.number(); n > 0 && !d.bad; n-- {
		entry := Entry{Resource: int(d.number()), Number: int(d.number())}
		k.Results = append(k.Results, Result{Entry: entry, Rejected: d.number() != 0, Digest: catalog.Digest(d.text()), Address: d.text()})
	}
	return k, digest, d.err()
}
