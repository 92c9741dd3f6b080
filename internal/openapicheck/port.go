package openapicheck

import _ "embed"

//go:embed port.yaml
var portAdditions []byte

// maxPortBodyBytes is Port's limit for the body of a request.
// Source: https://docs.port.io/api-reference/port-api, read 2026-11.
const maxPortBodyBytes = 1 << 20

func newPort(text []byte) (*document, error) {
	doc, err := prepare(text, portAdditions)
	if err != nil {
		return nil, err
	}
	t, err := load(doc)
	if err != nil {
		return nil, err
	}
	d := &document{
		name: "Port", schemas: t.Components.Schemas, options: schemaOptions(isURI), maxBodyBytes: maxPortBodyBytes,
	}
	d.addRoutes(t)
	return d, nil
}
