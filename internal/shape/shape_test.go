package shape_test

import (
	"slices"
	"testing"

	"port-bitbucket-exporter/internal/shape"
)

func TestShape(t *testing.T) {
	t.Parallel()
	s := shape.Of(`text flag? number# any* open{+ a b#} closed{a{b?}} list[x y#] texts[] a-b{} __end`)
	if want := []string{"text", "flag", "number", "any", "open", "closed", "list", "texts", "a-b", "__end"}; !slices.Equal(s.Names, want) || s.Form != shape.Object || s.More {
		t.Errorf("got %v", s)
	}
	key := func(keys ...string) (p shape.Path) {
		for _, k := range keys {
			p = append(p, shape.Step{Key: k, Member: k == "[]"})
			if k == "[]" {
				p[len(p)-1].Key = ""
			}
		}
		return p
	}
	for _, c := range []struct {
		path shape.Path
		text string
		form shape.Form // -1 when nothing is known
		end  int        // the step that leads nowhere
	}{
		{nil, "", shape.Object, -1},
		{key("text"), ".text", shape.Text, -1},
		{key("text", "x"), ".text.x", -1, 1},
		{key("text", "[]"), ".text[]", -1, 1},
		{key("flag"), ".flag", shape.Flag, -1},
		{key("number"), ".number", shape.Number, -1},
		{key("any"), ".any", shape.Unknown, -1},
		{key("any", "x", "[]"), ".any.x[]", -1, -1},
		{key("open"), ".open", shape.Object, -1},
		{key("open", "b"), ".open.b", shape.Number, -1},
		{key("open", "x", "y"), ".open.x.y", -1, -1},
		{key("open", "a", "y"), ".open.a.y", -1, 2},
		{key("closed", "a", "b"), ".closed.a.b", shape.Flag, -1},
		{key("closed", "b"), ".closed.b", -1, 1},
		{key("closed", "[]"), ".closed[]", -1, 1},
		{key("list", "[]"), ".list[]", shape.Object, -1},
		{key("list", "[]", "y"), ".list[].y", shape.Number, -1},
		{key("list", "x"), ".list.x", -1, 1},
		{key("texts", "[]"), ".texts[]", shape.Text, -1},
		{key("texts", "[]", "x"), ".texts[].x", -1, 2},
		{key("a-b"), `["a-b"]`, shape.Object, -1},
		{key("a-b", "x"), `["a-b"].x`, -1, 1},
		{key("nothing", "x"), ".nothing.x", -1, 0},
		{key("a b", "c-d", ""), `["a b"]["c-d"][""]`, -1, 0},
	} {
		if got := c.path.String(); got != c.text {
			t.Errorf("got %s, want %s", got, c.text)
		}
		form := shape.Form(-1)
		if of := s.At(c.path); of != nil {
			form = of.Form
		}
		if form != c.form {
			t.Errorf("%s: got the form %d, want %d", c.path, form, c.form)
		}
		end, of := s.DeadEnd(c.path)
		if end != c.end || (of == nil) != (end < 0) {
			t.Errorf("%s: got the dead end %d of %v, want %d", c.path, end, of, c.end)
		}
	}
	var none *shape.Shape
	if end, _ := none.DeadEnd(key("a")); end != -1 || none.At(key("a")) != nil || none.Field("a") != nil {
		t.Error("something is known of nothing")
	}
}
