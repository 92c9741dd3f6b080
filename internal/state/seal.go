package state

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"strconv"

	"github.com/klauspost/compress/zstd"
)

const (
	// format is the number of the form that files and values have. It grows when an older
	// program would misread them, and so would this one theirs.
	format = 1

	// maxValue is the largest value that is kept, in bytes: decompression ends there.
	maxValue = 32 << 20

	// window is how far back compression looks, in bytes. It bounds the memory of a coder.
	window = 256 << 10

	// coders is how many values are compressed or decompressed at a time.
	coders = 2
)

// index is what a value is found by: an HMAC of its class and key, which does not reveal
// them without the secret.
type index [16]byte

func (i index) compare(j index) int { return bytes.Compare(i[:], j[:]) }

// keys seal and open. They are safe for concurrent use.
type keys struct {
	aead  cipher.AEAD
	names []byte // key of the HMACs of names
	files []byte // key of the HMACs of files
	mark  []byte // is equal for equal keys, so that a memory of others is known as such

	pack   *zstd.Encoder
	unpack *zstd.Decoder
}

// newKeys derives the keys by HKDF: whoever lacks one of secret, workspace and identifier has
// none of them.
func newKeys(c Config) (*keys, error) {
	whose := named(c.Workspace, c.Identifier)
	var failed error
	derive := func(use string) []byte {
		key, err := hkdf.Key(sha256.New, []byte(c.Secret), nil, "port-bitbucket-exporter state "+strconv.Itoa(format)+" "+use+" "+string(whose), sha256.Size)
		failed = errors.Join(failed, err)
		return key
	}
	k := &keys{names: derive("names"), files: derive("files"), mark: derive("mark")[:16]}
	block, err := aes.NewCipher(derive("values"))
	if err = errors.Join(failed, err); err != nil {
		return nil, err
	}
	if k.aead, err = cipher.NewGCMWithRandomNonce(block); err != nil {
		return nil, err
	}
	if k.pack, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(coders), zstd.WithWindowSize(window), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false)); err != nil {
		return nil, err
	}
	k.unpack, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(coders), zstd.WithDecoderMaxMemory(maxValue), zstd.WithDecoderLowmem(true))
	return k, err
}

// named joins parts so that no two lists of parts become the same bytes.
func named(parts ...string) (name []byte) {
	for _, p := range parts {
		name = append(binary.AppendUvarint(name, uint64(len(p))), p...)
	}
	return name
}

// index of a name.
func (k *keys) index(name []byte) (i index) {
	code := hmac.New(sha256.New, k.names)
	code.Write(name)
	copy(i[:], code.Sum(nil))
	return i
}

// seal compresses and encrypts. What is sealed opens under this name alone.
func (k *keys) seal(value, name []byte) []byte {
	return k.aead.Seal(nil, nil, k.pack.EncodeAll(value, nil), name)
}

// open is the reverse of seal. The error says that the bytes were not sealed by these keys,
// under this name.
func (k *keys) open(sealed, name []byte) ([]byte, error) {
	packed, err := k.aead.Open(nil, nil, sealed, name)
	if err != nil {
		return nil, err
	}
	return k.unpack.DecodeAll(packed, nil)
}

// code is the HMAC of a file: without the keys no other file can be made that has the same one.
func (k *keys) code(file io.Reader) ([]byte, error) {
	code := hmac.New(sha256.New, k.files)
	_, err := io.CopyBuffer(struct{ io.Writer }{code}, struct{ io.Reader }{file}, make([]byte, 128<<10))
	return code.Sum(nil), err
}

func (k *keys) close() {
	_ = k.pack.Close()
	k.unpack.Close()
}
