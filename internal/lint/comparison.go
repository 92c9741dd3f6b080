package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/shape"
)

// comparisons finds comparisons that come out alike for every object.
func comparisons(x *expression) {
	for q := range nodes[*gojq.Query](x.tree) {
		switch q.Op {
		case gojq.OpEq, gojq.OpNe:
			x.equality(q)
		case gojq.OpGt, gojq.OpGe, gojq.OpLt, gojq.OpLe:
			x.order(q)
		}
	}
}

// booleans are fields of Bitbucket's objects that are true or false.
var booleans = []string{
	"is_private", "has_issues", "has_wiki", "draft", "queued", "close_source_branch", "approved", "has_publicly_visible_repos", "enforced_signed_commits",
}

// equality finds values that can never be equal.
func (x *expression) equality(q *gojq.Query) {
	for _, side := range [][2]*gojq.Query{{q.Left, q.Right}, {q.Right, q.Left}} {
		value, ok := jq.Text(side[1])
		if !ok {
			continue
		}
		at := locateText(x.source, "", value)
		if key, boolean := lastKey(side[0]); boolean && slices.Contains(booleans, key) {
			fix := "write true or false, without double quotes"
			if value == "true" || value == "false" {
				fix = fmt.Sprintf("write %s %s %s, without double quotes", short(side[0]), q.Op, value)
			}
			x.once(mapping.RuleJQCondition, diag.Warning, at, fmt.Sprintf("%s is true or false, and is never equal to the text %q", short(side[0]), value), fix)
			return
		}
		if value == "null" {
			x.once(mapping.RuleJQCondition, diag.Warning, at, `this compares with the text "null", and a field that is not there is null`,
				fmt.Sprintf("write %s %s null, without double quotes", short(side[0]), q.Op))
			return
		}
	}
	left, right := x.types.query(q.Left, anyType), x.types.query(q.Right, anyType)
	if left&right == 0 && left != noType && right != noType {
		x.once(mapping.RuleJQCondition, diag.Warning, 0,
			fmt.Sprintf("%s gives %s and %s gives %s: they are never equal", short(q.Left), left, short(q.Right), right),
			"compare values of one type")
	}
}

// order finds a text, such as a time, that is compared with a number: a text is greater
// than every number.
func (x *expression) order(q *gojq.Query) {
	for _, side := range [][2]*gojq.Query{{q.Left, q.Right}, {q.Right, q.Left}} {
		path, of := x.rootPath(side[0])
		if of == nil || of.Form != shape.Text || x.types.query(side[1], anyType) != isNumber {
			continue
		}
		fix := fmt.Sprintf("compare it with a text, or write (%s | tonumber)", path)
		if strings.HasSuffix(path[len(path)-1].Key, "_on") {
			fix = fmt.Sprintf(`write (%s[:19] + "Z" | fromdate) for the time in seconds, as now gives it`, path)
		}
		x.once(mapping.RuleJQCondition, diag.Warning, 0, fmt.Sprintf("%s is a text, and %s a number: the one is greater than the other for every object", path, short(side[1])), fix)
		return
	}
}
