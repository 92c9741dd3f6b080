package openapicheck

// PortDocument is Port's document of a folder with our additions, as plain values.
func PortDocument(text []byte) (map[string]any, error) { return prepare(text, portAdditions) }
