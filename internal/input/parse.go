package input

import (
	"crypto/x509"
	"log/slog"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Parse reads every input of the table. The error is Problems: every problem of
// every input, in the order of the table. A Config that comes with an error holds
// what was read, with the zero value for what is wrong: its Secrets are to be hidden
// all the same, the mapping can be checked, and ReportFile, MappingFile and FailOn
// say where and how the error is told. Nothing may run by it. In the mode validate
// problems and notes are those of its own inputs.
func Parse(env Environment) (Config, Notes, error) {
	rep := &report{}
	p := &parser{
		reader: reader{env: env, ocean: readOcean(env, rep), rep: rep},
		report: rep,
		values: map[string]given{},
	}
	for _, in := range Table {
		p.read(in)
	}
	p.reader.ocean.check(rep)
	p.checkRequired()
	c := p.config()
	if c.Mode == Validate {
		p.checkMappingGiven(c)
		rep.onlyValidate()
	}

	rep.sortProblems()
	if len(rep.problems) > 0 {
		return c, rep.notes, rep.problems
	}
	return c, rep.notes, nil
}

// parser turns texts into values. Each of its methods reads one input, reports
// a problem when the text is wrong, and then answers the zero value.
type parser struct {
	*report
	reader reader
	values map[string]given
}

func (p *parser) read(in Input) {
	var accept func(string) bool
	switch in.ID {
	case "log_level":
		accept = func(text string) bool { _, ok := level(text); return ok }
	case "debug":
		accept = func(text string) bool { return isTrue(text) || isFalse(text) }
	}
	g := p.reader.find(in, accept)
	if !g.ok() && in.Default != "" {
		g = given{text: in.Default, from: "default"}
	}
	if g.ok() {
		p.values[in.ID] = g
		p.notes.Sources = append(p.notes.Sources, Source{ID: in.ID, From: g.from})
	}
}

func (p *parser) checkRequired() {
	for _, in := range Table {
		if !in.Required || p.values[in.ID].ok() || p.hasProblem(in.ID) {
			continue
		}
		value := in.Name()
		if !in.Secret {
			value = "acme"
		}
		fix := "in a GitHub workflow write \"" + in.ID + ": " + githubValue(in, value) + "\" under \"with:\"; " +
			"in a Bitbucket pipe \"" + in.Name() + ": " + pipeValue(in, value) + "\" under \"variables:\"; " +
			"elsewhere set the environment variable " + in.Name()
		p.problem(location(in.ID, ""), fix, "it is required and not set")
	}
}

func githubValue(in Input, value string) string {
	if in.Secret {
		return "${{ secrets." + value + " }}"
	}
	return value
}

func pipeValue(in Input, value string) string {
	if in.Secret {
		return "$" + value
	}
	return value
}

// hasProblem says whether the input is already known to be wrong.
func (p *parser) hasProblem(id string) bool {
	return slices.ContainsFunc(p.problems, func(problem Problem) bool {
		return strings.HasPrefix(problem.Where, location(id, "")+" (")
	})
}

func (p *parser) where(id string) string { return location(id, p.values[id].from) }

func (p *parser) text(id string) string { return p.values[id].text }

func (p *parser) config() Config {
	c := Config{
		Mode:                    p.mode(),
		PortClientID:            p.secret("port_client_id"),
		PortClientSecret:        p.secret("port_client_secret"),
		PortBaseURL:             trimPortBase(p.address("port_base_url")),
		Workspace:               p.workspace(),
		BitbucketHostURL:        p.address("bitbucket_host_url"),
		IntegrationIdentifier:   p.identifier(),
		InitializePortResources: p.boolean("initialize_port_resources"),
		Mapping:                 p.text("mapping"),
		MappingFile:             p.text("mapping_file"),
		PublishMapping:          choice(p, "publish_mapping", PublishIfEmpty, PublishAlways, PublishNever),
		JQEnvAllow:              p.names("jq_env_allow"),
		Authorities:             p.authorities(),
		Concurrency:             p.concurrency(),
		MaxFileSize:             p.maxFileSize(),
		TimeLimit:               p.timeLimit(),
		Deletion:                choice(p, "deletion", DeletionApply, DeletionReport, DeletionNever),
		MaxDeletions:            p.maxDeletions(),
		ConfirmRenames:          p.boolean("confirm_renames"),
		FailOn:                  choice(p, "fail_on", FailOnIncomplete, FailOnRejected, FailOnNever),
		DetailedExit:            p.boolean("detailed_exit"),
		SARIFFile:               p.text("sarif_file"),
		ReportFile:              p.text("report_file"),
		SummaryFile:             p.text("summary_file"),
		SyncStatus:              p.boolean("sync_status"),
		ShipLogs:                p.boolean("ship_logs"),
		SendExamples:            p.boolean("send_raw_data_examples"),
		LogLevel:                p.logLevel(),
	}
	c.RateLimit, c.SourceRate = p.rateLimits()
	c.Credentials, c.unused = p.credentials()
	if c.Mapping != "" && c.MappingFile != "" {
		p.problem(p.where("mapping"), "remove one of mapping and mapping_file",
			"mapping_file is set too (from %s)", p.values["mapping_file"].from)
	}
	return c
}

// identifierPattern is Port's pattern of identifiers without "/" and "\", which
// would end the name of the datasource. Source:
// Port's API description (schema of an entity), read 2026-11.
var identifierPattern = regexp.MustCompile(`^[\p{L}0-9@_.+:=-]+$`)

func (p *parser) identifier() string {
	text := p.text("integration_identifier")
	if !identifierPattern.MatchString(text) || text == "." || text == ".." {
		p.problem(p.where("integration_identifier"), `write letters, digits and the characters @ _ . + : = - only, such as "bitbucket-acme"`,
			"%q is not an identifier that Port takes", text)
		return ""
	}
	return text
}

// authorities reads the file that ca_file names.
func (p *parser) authorities() []byte {
	const id = "ca_file"
	name := p.text(id)
	if name == "" || p.reader.env.ReadFile == nil {
		return nil
	}
	text, err := p.reader.env.ReadFile(name)
	if err != nil {
		p.problem(p.where(id), "give the path of a file that this program can read, from the working directory", "%q cannot be read: %v", name, cause(err))
		return nil
	}
	if !x509.NewCertPool().AppendCertsFromPEM(text) {
		p.problem(p.where(id), `give a file in PEM, with "-----BEGIN CERTIFICATE-----" in it`, "%q holds no certificate", name)
		return nil
	}
	return text
}

func (p *parser) timeLimit() time.Duration {
	text := p.text("time_limit")
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		p.problem(p.where("time_limit"), `write a duration with its unit, such as "110m" or "1h30m", or 0 for none`,
			"%q is not a duration", text)
		return 0
	}
	return d
}

func (p *parser) concurrency() int {
	const most = 100
	text := p.text("concurrency")
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		p.problem(p.where("concurrency"), "write a whole number from 1 to 100; the default is 10", "%q is not a number from 1 to %d", text, most)
		return 0
	}
	return n
}

func (p *parser) maxDeletions() *int {
	text := p.text("max_deletions")
	if text == "" {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		p.problem(p.where("max_deletions"), "write a whole number, such as 100; 0 deletes nothing, and without this input there is no bound", "%q is not a number of entities", text)
		return nil
	}
	return &n
}

func (p *parser) mode() Mode {
	text := p.text("mode")
	if m := Mode(strings.ToLower(text)); slices.Contains(Modes(), m) {
		return m
	}
	p.problem(p.where("mode"), "write one of: sync, plan, validate; where the variable MODE is another program's, INPUT_MODE wins over it", "%q is not known", text)
	return ""
}

func (p *parser) checkMappingGiven(c Config) {
	if c.Mapping == "" && c.MappingFile == "" && !p.hasProblem("mapping") {
		p.problem(location("mapping_file", ""), "name the file that holds the mapping, such as --mapping-file port/mapping.yml, "+
			"or \"mapping_file: port/mapping.yml\" under \"with:\" of a workflow", "the mode validate checks a mapping, and neither mapping_file nor mapping is set")
	}
}

// choice reads an input that is one of some words.
func choice[T ~string](p *parser, id string, words ...T) T {
	text := p.text(id)
	names := make([]string, len(words))
	for i, word := range words {
		if strings.EqualFold(text, string(word)) {
			return word
		}
		names[i] = string(word)
	}
	p.problem(p.where(id), "write one of: "+strings.Join(names, ", "), "%q is not known", text)
	return ""
}

func (p *parser) boolean(id string) bool {
	text := p.text(id)
	if !isTrue(text) && !isFalse(text) {
		p.problem(p.where(id), "write true or false", "%q is neither true nor false", text)
	}
	return isTrue(text)
}

func isTrue(text string) bool  { return oneOf(text, "true", "1", "yes", "on") }
func isFalse(text string) bool { return oneOf(text, "false", "0", "no", "off") }

func oneOf(text string, words ...string) bool {
	return slices.Contains(words, strings.ToLower(strings.TrimSpace(text)))
}

var namePattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// names reads a list of environment variables' names.
func (p *parser) names(id string) []string {
	var names []string
	for name := range strings.SplitSeq(p.text(id), ",") {
		name = strings.TrimSpace(name)
		if name == "" || slices.Contains(names, name) {
			continue
		}
		if !namePattern.MatchString(name) {
			p.problem(p.where(id), `write names of environment variables, separated by commas, such as "TEAM,REGION"`,
				"%q is not the name of an environment variable", name)
			continue
		}
		names = append(names, name)
	}
	return names
}

// logLevel puts debug first, then log_level; values that are not recognised
// were left out when they were read. RUNNER_DEBUG is set by GitHub
// when a re-run asks for debug logging.
func (p *parser) logLevel() slog.Level {
	runner := p.reader.variable("RUNNER_DEBUG")
	if isTrue(p.text("debug")) || strings.TrimSpace(runner.text) == "1" {
		return slog.LevelDebug
	}
	l, _ := level(p.text("log_level"))
	return l
}

// level reads a level's name; the names of Ocean's log levels are among them.
func level(text string) (slog.Level, bool) {
	switch strings.ToLower(text) {
	case "debug":
		return slog.LevelDebug, true
	case "info":
		return slog.LevelInfo, true
	case "warn", "warning":
		return slog.LevelWarn, true
	case "error", "critical":
		return slog.LevelError, true
	default:
		return slog.LevelInfo, false
	}
}
