package filter

import (
	"strings"
	"testing"
	"time"
)

// Filters as Bitbucket takes them, or may take them: nothing is told of them.
func TestNothingToTell(t *testing.T) {
	t.Parallel()
	for _, query := range []string{
		`state="OPEN"`, `state = "OPEN"`, `state="OPEN" OR (state="MERGED" AND updated_on > "2025-12-10T14:00:00-07:00")`, `language="python"`,
		`updated_on > 2025-12-10T14:00:00-07:00`, `updated_on>=2025-12-10`, `updated_on > 2025-12-10T14:00:00.123456Z and size <= -5`, `created_on > 2025-12-10T14:00`,
		`is_private=true`, `parent=null`, `parent != NULL`, `draft = False`, `size>1.5`, `size>1e5`, `id in (1, 2)`, `name IN ("a","b")`, `name NOT IN ("a")`, `NOT name = "a"`,
		`name ~ "x\"y" AND description !~ "a\\"`, `((name="a"))`, "name = \"a\"\n  AND name != \"b\"\n", `reviewers.uuid="{abc-def}"`, `name = "O'Neil, R&D (old) = new"`,
		`name = "a%20b=%3D"`, `name ~ "q=x"`, `name="AND"`, `name = "ü"`, `source.branch.name = "feature/x"`, `project.key="PAY"`, `author.nickname="x"OR id=1`,
	} {
		if f := Check(query); f != nil {
			t.Errorf("%s: got %+v", query, *f)
		}
	}
}

// Each fault is told where it stands, and mended as far as what was meant is known.
func TestFaults(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]struct{ at, message, mended string }{
		`state=OPEN`:  {`OPEN`, "lacks its double quotes", `state="OPEN"`},
		`language=go`: {`go`, "lacks its double quotes", `language="go"`},
		`state = OPEN AND updated_on > 2025-01-01`: {`OPEN`, `"OPEN" is a text`, `state = "OPEN" AND updated_on > 2025-01-01`},
		`state="OPEN" or state=MERGED`:             {`MERGED`, `"MERGED" is a text`, `state="OPEN" or state="MERGED"`},
		`state!=OPEN and name~api`:                 {`OPEN`, `"OPEN"`, `state!="OPEN" and name~"api"`},
		`name !~ a/b AND size > 1`:                 {`a/b`, `"a/b"`, `name !~ "a/b" AND size > 1`},
		`name=Checkout API and size>1`:             {`Checkout`, `"Checkout API"`, `name="Checkout API" and size>1`},
		`name=R AND D`:                             {`R`, `"R AND D"`, `name="R AND D"`},
		`name=don't`:                               {`don't`, `"don't"`, `name="don't"`},
		`name=a\b`:                                 {`a\b`, `is a text`, `name="a\\b"`},
		`author.uuid={ab-c}`:                       {`{`, `"{ab-c}"`, `author.uuid="{ab-c}"`},
		`size > big`:                               {`big`, `"big"`, `size > "big"`},
		`(project.key=PAY)`:                        {`PAY`, `"PAY"`, `(project.key="PAY")`},
		`state=OPEN,MERGED`:                        {`OPEN`, `"OPEN"`, `(state="OPEN" OR state="MERGED")`},
		`id>1 AND state="OPEN","MERGED"`:           {`"OPEN"`, `"=" takes one value`, `id>1 AND (state="OPEN" OR state="MERGED")`},
		`state != "OPEN", "MERGED"`:                {`"OPEN"`, `"!=" takes one value`, `(state!="OPEN" AND state!="MERGED")`},
		`state IN (OPEN, MERGED)`:                  {`OPEN`, `"OPEN"`, `state IN ("OPEN", "MERGED")`},
		`state IN OPEN, MERGED AND size > 1`:       {`OPEN`, `in parentheses`, `state IN ("OPEN", "MERGED") AND size > 1`},
		`state in ("OPEN" "MERGED")`:               {`"MERGED"`, `a comma or ")"`, ``},
		`state='OPEN'`:                             {`'`, `single quotes`, `state="OPEN"`},
		`state=“OPEN”`:                             {`“`, `quotes of another kind`, `state="OPEN"`},
		`name='say "x"'`:                           {`'`, `single quotes`, `name="say \"x\""`},
		`state=='OPEN'`:                            {`==`, `"==" is not an operator`, `state="OPEN"`},
		`state === "OPEN"`:                         {`===`, `not an operator`, `state = "OPEN"`},
		`state <> "OPEN"`:                          {`<>`, `not an operator`, `state != "OPEN"`},
		`name LIKE "a"`:                            {`LIKE`, `not an operator`, `name ~ "a"`},
		`state:OPEN`:                               {`state`, `":" is not an operator`, `state="OPEN"`},
		`id:5 draft:true`:                          {`id`, `":" is not an operator`, ``},
		`state="OPEN"&&size>1`:                     {`&&`, `not an operator`, `state="OPEN" AND size>1`},
		`state="OPEN" || state="MERGED"`:           {`||`, `not an operator`, `state="OPEN" OR state="MERGED"`},
		`(state="OPEN"`:                            {`(`, `"(" is not closed`, `(state="OPEN")`},
		`state="OPEN")`:                            {`)`, `")" closes nothing`, `state="OPEN"`},
		`state="OPEN`:                              {`"OPEN`, `not closed`, `state="OPEN"`},
		`(state="OPEN)`:                            {`"OPEN`, `not closed`, `(state="OPEN")`},
		`name="a AND size>1`:                       {`"a`, `not closed`, ``},
		`state`:                                    {``, `an operator is missing after "state"`, ``},
		`state=`:                                   {``, `a value is missing before the end`, ``},
		`="OPEN"`:                                  {`=`, `a field is missing before "="`, ``},
		`name="a" AND`:                             {``, `a field is missing before the end`, ``},
		`state="OPEN" state="MERGED"`:              {`state="M`, `AND or OR is missing before "state"`, ``},
		`.state == "OPEN"`:                         {`.state`, `without a dot`, `state = "OPEN"`},
		`updated_on > 2025-01-01 14:00:00`:         {`2025`, `not a date-time`, `updated_on > 2025-01-01T14:00:00`},
		`updated_on > now-30 AND id=1`:             {`now`, `"now-30" is not a date-time`, ``},
		`updated_on > now-3m`:                      {`now`, `"now-3m" is not a date-time`, ``},
		`updated_on > now+1d`:                      {`now`, `"now+1d" is not a date-time`, ``},
		`updated_on > now - 30 D AND id=1`:         {`now`, `"now - 30 D" is not a date-time`, `updated_on > now-30d AND id=1`},
		`created_on < Now`:                         {`Now`, `"Now" is not a date-time`, `created_on < now`},
		`id=1 OR target.date>"now-2w"`:             {`"now`, `is a text, and no date-time`, `id=1 OR target.date>now-2w`},
		`updated_on > 'now'`:                       {`'now`, `is a text, and no date-time`, `updated_on > now`},
		`title = now-30d`:                          {`now`, `lacks its double quotes`, `title = "now-30d"`},
		`updated_on > tomorrow`:                    {`tom`, `"tomorrow" is not a date-time`, ``},
		`updated_on > now()`:                       {`now`, `no functions`, ``},
		`q=state="OPEN"`:                           {`q=`, `as in an address`, `state="OPEN"`},
		`?q=state%3D%22OPEN%22`:                    {`?`, `as in an address`, `state="OPEN"`},
		`state%3DOPEN`:                             {`state`, `as in an address`, `state="OPEN"`},
		`name LIKE x%20y(`:                         {`LIKE`, `not an operator`, ``},
	} {
		f := Check(query)
		if f == nil {
			t.Errorf("%s: got nothing", query)
			continue
		}
		if !strings.HasPrefix(query[f.Offset:], want.at) || want.at == "" && f.Offset != len(query) || !strings.Contains(f.Message, want.message) || f.Fix == "" || f.Mended != want.mended {
			t.Errorf("%s: got %+v, want %+v", query, *f, want)
		}
	}
}

// Times before now stand for themselves where a date is due, and outside of quotes alone.
func TestAt(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 1, 30, 15, 999, time.FixedZone("", 3600))
	for query, want := range map[string]string{
		`updated_on>now-30d`: `updated_on>2026-01-30T00:30:15+00:00`,
		`(a.created_on <= now-1h OR updated_on >= now) AND state="OPEN"`: `(a.created_on <= 2026-02-28T23:30:15+00:00 OR updated_on >= 2026-03-01T00:30:15+00:00) AND state="OPEN"`,
		`target.date IN (now-2w, now-0d)`:                                `target.date IN (2026-02-15T00:30:15+00:00, 2026-03-01T00:30:15+00:00)`,
		`title = "now-30d" AND name ~ "updated_on > now-30d"`:            `title = "now-30d" AND name ~ "updated_on > now-30d"`,
		`now > 1 AND updated_on > "now-30d\" now-30d"`:                   `now > 1 AND updated_on > "now-30d\" now-30d"`,
		`updated_on > now-99999w`:                                        `updated_on > 0109-08-25T00:30:15+00:00`,
		`state="OPEN"`:                                                   `state="OPEN"`,
		``:                                                               ``,
	} {
		if got := At(query, now); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	for _, query := range []string{`updated_on > now`, `created_on IN (now-1h, now-30d)`, `NOT target.date < now-4w AND id=1`} {
		if f := Check(query); f != nil {
			t.Errorf("%s: got %+v, want nothing", query, *f)
		}
	}
}

func TestFields(t *testing.T) {
	t.Parallel()
	const query = `a.b="c=d" AND (e !~ "f" or NOT g in ("h", i)) AND not j not in ("k") and 2=l`
	var got []string
	for _, name := range Fields(query) {
		if !strings.HasPrefix(query[name.Offset:], name.Text) {
			t.Errorf("%+v is not where it is said to be", name)
		}
		got = append(got, name.Text)
	}
	if want := "a.b e g j"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What a mended filter says is what Bitbucket takes, whatever it was made of.
func FuzzCheck(f *testing.F) {
	for _, query := range []string{`state=OPEN`, `a IN (b,"c") AND (d~'e' OR f:g)`, `q=a%3D"x`, `x_on > 2025-01-01 10:00`, "a=“b” && c<>d e", `a=b,c,"d")`, `(((`, `.a="b`, `NOT a NOT IN x`, `a_on > Now - 3 d`, `a_on='now-1w' OR b_on=now`} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		fault := Check(query)
		if fault == nil {
			return
		}
		if fault.Offset < 0 || fault.Offset > len(query) || fault.Message == "" || fault.Fix == "" {
			t.Errorf("%q: got %+v", query, *fault)
		}
		if fault.Mended != "" && read(fault.Mended) != nil {
			t.Errorf("%q: mended it is %q, which has a fault too: %+v", query, fault.Mended, read(fault.Mended))
		}
	})
}
