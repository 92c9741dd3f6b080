package input

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
)

// world makes an environment of variables and files.
func world(variables, files map[string]string) Environment {
	return Environment{
		Lookup: func(name string) (string, bool) { v, ok := variables[name]; return v, ok },
		Environ: func() []string {
			var lines []string
			for _, name := range slices.Sorted(maps.Keys(variables)) {
				lines = append(lines, name+"="+variables[name])
			}
			return lines
		},
		ReadFile: func(path string) ([]byte, error) {
			if text, ok := files[path]; ok {
				return []byte(text), nil
			}
			return nil, &fs.PathError{Op: "open", Path: path, Err: errors.New("no such file or directory")}
		},
	}
}

// required are the variables without which nothing goes; the credential too.
var required = map[string]string{
	"PORT_CLIENT_ID":            "port-id",
	"PORT_CLIENT_SECRET":        "port-secret",
	"BITBUCKET_WORKSPACE":       "acme",
	"BITBUCKET_WORKSPACE_TOKEN": "token-one",
}

// with adds variables to the required ones; a variable set to "-" is left out.
func with(changes map[string]string) map[string]string {
	all := maps.Clone(required)
	maps.Copy(all, changes)
	maps.DeleteFunc(all, func(_, value string) bool { return value == "-" })
	return all
}
