package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/mapping"
)

// knownFormats are the formats of gojq.
var knownFormats = []string{"@text", "@json", "@html", "@uri", "@urid", "@csv", "@tsv", "@sh", "@base64", "@base64d"}

// formats finds formats that do not exist.
func formats(x *expression) {
	for t := range nodes[*gojq.Term](x.tree) {
		if t.Type == gojq.TermTypeFormat && !slices.Contains(knownFormats, t.Format) {
			fix := nearFix(t.Format, knownFormats) + "the formats are " + strings.Join(knownFormats, ", ")
			x.once(mapping.RuleJQFormat, diag.Error, locate(x.source, t.Format), fmt.Sprintf("jq: there is no format %s", t.Format), fix)
		}
	}
}

// appliedFields finds a format or a function with a field after it, as its argument
// would stand in a shell: @uri .name, length .name.
func appliedFields(x *expression) {
	for t := range nodes[*gojq.Term](x.tree) {
		if len(t.SuffixList) == 0 || t.SuffixList[0].Index == nil || t.SuffixList[0].Index.Name == "" {
			continue
		}
		if len(t.SuffixList) > 1 && t.SuffixList[1].Optional {
			continue
		}
		key := t.SuffixList[0].Index.Name
		switch {
		case t.Type == gojq.TermTypeFormat && t.Str == nil:
			x.once(mapping.RuleJQFormat, diag.Error, locate(x.source, t.Format), fmt.Sprintf("jq: %s is applied to the whole object, and .%s read from the text that it gives", t.Format, key),
				fmt.Sprintf("write .%s | %s", key, t.Format))
		case t.Type == gojq.TermTypeFunc && len(t.Func.Args) == 0:
			applied(x, t.Func.Name, key)
		}
	}
}

func applied(x *expression, function, key string) {
	if x.types.own[function] {
		return
	}
	gives := x.types.function(&gojq.Func{Name: function}, anyType)
	if gives&(isObject|isNull) != 0 || gives == noType {
		return
	}
	x.once(mapping.RuleJQPrecedence, diag.Error, locate(x.source, function),
		fmt.Sprintf("jq: %s .%s reads the field %q of what %s gives, which is %s", function, key, key, function, gives),
		fmt.Sprintf("a function stands behind a \"|\": .%s | %s", key, function))
}

// idleFunctions finds functions that do nothing here, or something else than they seem.
func idleFunctions(x *expression) {
	for f := range x.calls() {
		if f.Name == "debug" || f.Name == "stderr" {
			x.once(mapping.RuleJQDebug, diag.Notice, locate(x.source, f.Name), f.Name+" writes nowhere here, and gives its input", "remove it")
		}
	}
	// The field of an object that has a type, without its dot.
	if f := jq.Call(x.tree); f != nil && f.Name == "type" && len(f.Args) == 0 {
		x.once(mapping.RuleJQText, diag.Warning, locate(x.source, "type"), `type is a function here, and gives "object"`, "for the field write .type")
	}
}
