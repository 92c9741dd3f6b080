package lint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/nearest"
	"port-bitbucket-exporter/internal/shape"
)

// includedFiles is the field that holds the files of the selector's includedKey.
const (
	includedFiles = "__includedFiles"
	includedKey   = "includedFiles"
)

// unknownFields finds fields that the objects of the kind do not have.
func unknownFields(x *expression) {
	object := x.Kind.Object
	if object == nil {
		return
	}
	told := map[string]bool{}
	// An author who writes a default, or whose expression does not compile, may mean
	// something else.
	sure := x.compiled && !strings.Contains(x.source, "//") && !strings.Contains(x.source, "?") && !strings.Contains(x.source, "try ")
	items, itemsKey := x.resource.ItemsToParse != nil, x.resource.ItemsToParseName
	for _, path := range rootPaths(x.tree, object) {
		x.reviewers(path, told)
		key := path[0].Key
		at, of := object.DeadEnd(path)
		instead := x.Kind.Missing[path[:at+1].String()]
		switch {
		case key == itemsKey && items:
		case key == includedFiles && at < 0:
			x.included(path)
		case at < 0 || told[path[:at+1].String()]:
		case key == itemsKey:
			x.item(path)
		case at == 0:
			fix, known := x.fieldFix(object, path)
			if fix = cmp.Or(instead, fix); known || sure || instead != "" {
				x.add(mapping.RuleField, diag.Warning, pathAt(x.source, path[:1]),
					fmt.Sprintf("the objects of the kind %s have no field %q: it is null", x.resource.Kind, key), fix)
			}
		default:
			message, fix := deadEnd(x.Kind, path, at, of)
			x.add(mapping.RuleField, diag.Warning, pathAt(x.source, path[:at+1]), message, cmp.Or(instead, fix))
		}
		if at >= 0 {
			told[path[:at+1].String()] = true
		}
	}
}

// item reports, once for a resource, that its items are not made.
func (x *expression) item(path shape.Path) {
	if x.itemless {
		return
	}
	x.itemless = true
	x.add(mapping.RuleField, diag.Warning, pathAt(x.source, path[:1]), path[:1].String()+" is there only where the resource has itemsToParse: it is null",
		`write itemsToParse: below "port:", next to entity, with the expression that gives the items`)
}

// valuesOf describe what a value is, for a message.
var valuesOf = map[shape.Form]string{
	shape.Text: "a text", shape.Number: "a number", shape.Flag: "true or false", shape.Object: "an object", shape.List: "a list",
}

// deadEnd describes a step within an object that leads nowhere.
func deadEnd(k shape.Kind, path shape.Path, at int, of *shape.Shape) (message, fix string) {
	before, bad := path[:at].String(), path[at]
	switch {
	case of.Form == shape.List:
		return fmt.Sprintf("%s is a list, and has no field %q", before, bad.Key),
			fmt.Sprintf("for each of its members write [%s[]%s]", before, path[at:])
	case of.Form == shape.Object && bad.Member:
		right := slices.Delete(slices.Clone(path), at, at+1)
		if end, of := k.Object.DeadEnd(right); end >= 0 && of.Form != shape.Object {
			right = right[:end]
		}
		return before + " is an object, and no list", "write " + right.String()
	case of.Form == shape.Object:
		fix = "it is empty"
		if len(of.Names) > 0 {
			fix = "its fields are " + strings.Join(of.Names, ", ")
		}
		if h, ok := meant(k, path, at); ok && h.sure {
			fix = h.fix()
		} else if ok {
			fix = h.fix() + " " + fix
		}
		return fmt.Sprintf("%s has no field %q: it is null", before, bad.Key), fix
	case bad.Member:
		return before + " is not a list", "write " + before
	}
	return fmt.Sprintf("%s is %s, and has no field %q", before, valuesOf[of.Form], bad.Key), "write " + before
}

// included finds a file that the selector does not name.
func (x *expression) included(path shape.Path) {
	if len(path) < 2 || path[1].Member {
		return
	}
	at := pathAt(x.source, path[:1])
	if len(path) > 2 && !path[2].Member {
		name := path[1].Key + "." + path[2].Key
		x.add(mapping.RuleField, diag.Warning, at, fmt.Sprintf("this reads the field %q of the text of the file %q", path[2].Key, path[1].Key),
			fmt.Sprintf("write .%s[%q]", includedFiles, name))
		return
	}
	named := x.resource.Selector.Texts(includedKey)
	if name := path[1].Key; !slices.Contains(named, name) {
		fix := fmt.Sprintf(`write - %s below "includedFiles:" in the selector`, name)
		if near, ok := nearest.Name(name, named); ok {
			fix = fmt.Sprintf("did you mean .%s[%q]? else %s", includedFiles, near, fix)
		}
		x.add(mapping.RuleField, diag.Warning, at, fmt.Sprintf("the selector does not read the file %q: it is null", name), fix)
	}
}

// fieldNames are the fields of the objects that expressions see; nil when the kind is
// not known.
func (x *expression) fieldNames() []string {
	switch object := x.Kind.Object; {
	case object == nil:
		return nil
	case x.resource.ItemsToParse != nil:
		return append(slices.Clone(object.Names), x.resource.ItemsToParseName)
	default:
		return object.Names
	}
}

// reviewers finds where the documented default mapping reads more than Bitbucket has. It
// works, since each reviewer carries itself as its user.
func (x *expression) reviewers(path shape.Path, told map[string]bool) {
	user := shape.Path{{Key: "reviewers"}, {Member: true}, {Key: "user"}}
	if len(path) < len(user) || path[:len(user)].String() != user.String() || x.Kind.Object.At(user) == nil || told[user.String()] {
		return
	}
	told[user.String()] = true
	x.add(mapping.RuleField, diag.Notice, max(strings.Index(x.source, user.String()), 0), "a reviewer of Bitbucket is the account itself; its field user is a copy that is made here",
		fmt.Sprintf("write %s for %s", user[:2], user))
}

// fieldFix returns what was meant by a path whose first step leads nowhere, or, where that is
// not known, what there is.
func (x *expression) fieldFix(object *shape.Shape, path shape.Path) (fix string, known bool) {
	key := path[0].Key
	if x.Name == "blueprint" && strings.TrimSpace(x.source) == "."+key {
		return "write blueprint: " + mapping.InSingleQuotes(`"`+key+`"`), true
	}
	h, ok := meant(x.Kind, path, 0)
	switch {
	case ok && h.sure && x.resource.ItemsToParse != nil && x.Name != "itemsToParse":
		return fmt.Sprintf("%s, or .%s%s for a field of the item", h.fix(), x.resource.ItemsToParseName, path), true
	case ok && (h.sure || h.near):
		return h.fix(), true
	case x.resource.ItemsToParse != nil && x.Name != "itemsToParse":
		return fmt.Sprintf("did you mean .%[1]s.%[2]s? Beside .%[1]s the fields are %[3]s", x.resource.ItemsToParseName, key, strings.Join(object.Names, ", ")), false
	case ok:
		return h.fix(), false
	}
	return "the fields are " + strings.Join(object.Names, ", "), false
}
