package datasource

import (
	"regexp"
	"slices"
	"strings"
)

// secretKey matches the names of values that are likely secret.
var secretKey = regexp.MustCompile(`(?i)(passw(or)?d|passphrase|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|credential)`)

// form is how secrets of one kind look.
type form struct {
	// signs are texts one of which is in each of them, in lower case where the pattern takes
	// letters of either case: most texts have none, which is found in a hundredth of the time.
	signs   []string
	pattern string
}

// secretForms are the forms of well-known credentials.
var secretForms = []form{
	// Source: RFC 7468, sections 10 and 11, and OpenSSL's older labels, such as RSA.
	{[]string{"-----BEGIN "}, `-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|$)`},
	// AWS. Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes, read 2026-11.
	{[]string{"AKIA", "ASIA", "AGPA", "AIDA", "AROA"}, `\b(?:AKIA|ASIA|AGPA|AIDA|AROA)[A-Z0-9]{16}\b`},
	// Google: an API key, and an access token of OAuth. The forms are as seen.
	{[]string{"AIza"}, `\bAIza[0-9A-Za-z_\-]{35}\b`},
	{[]string{"ya29."}, `\bya29\.[0-9A-Za-z_\-]+`},
	// GitHub. Source: https://github.blog/changelog/2021-03-31-authentication-token-format-updates-are-generally-available, read 2026-11.
	// The form of a fine-grained token is as seen.
	{[]string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_"}, `\bgh[pousr]_[0-9A-Za-z]{36,}\b`},
	{[]string{"github_pat_"}, `\bgithub_pat_[0-9A-Za-z_]{22,}\b`},
	// GitLab. Source: https://gitlab.com/gitlab-org/gitlab/-/issues/342327, read 2026-11.
	{[]string{"glpat-"}, `\bglpat-[0-9A-Za-z_\-]{20,}`},
	// Atlassian: API token, access token and app password. Source: an answer of its staff in
	// https://community.atlassian.com/forums/Bitbucket-questions/Can-we-confirm-BitBucket-s-token-prefixes/qaq-p/3093481, read 2026-11.
	{[]string{"ATATT", "ATCTT", "ATBB"}, `\bAT(?:ATT|CTT|BB)[0-9A-Za-z_\-=]{20,}`},
	// Slack, Stripe and npm. The forms are as seen.
	{[]string{"xox"}, `\bxox[abeoprs]-[0-9A-Za-z\-]{10,}`},
	{[]string{"sk_live_"}, `\bsk_live_[0-9A-Za-z]{20,}\b`},
	{[]string{"npm_"}, `\bnpm_[0-9A-Za-z]{36}\b`},
	// JSON web tokens: {" is eyJ in base64url. Source: RFC 7519, section 3.
	{[]string{"eyJ"}, `\beyJ[0-9A-Za-z_\-]{10,}\.[0-9A-Za-z_\-.]{10,}`},
	// A value after a name that is likely that of a secret. The s of other than ASCII is the
	// long s, which is one of either case too.
	{[]string{"secret", "token", "passw", "apikey", "api-key", "api_key", "\u017f"}, `\b[0-9A-Za-z_\-.]{0,40}(?i:secret|token|passw(?:or)?d|api[-_]?key)["']?\s*[:=]\s*["']?[^\s"',;]{6,}`},
}

var secrets = regexp.MustCompile(join(secretForms))

func join(forms []form) string {
	patterns := make([]string, len(forms))
	for i, f := range forms {
		patterns[i] = f.pattern
	}
	return strings.Join(patterns, "|")
}

// inURL matches a password in an address.
var inURL = regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.\-]*://[^\s/:@]*:)[^\s/@]+@`)

// mask hides what looks like a secret in a text.
func mask(text string) string {
	if strings.Contains(text, "://") && strings.Contains(text, "@") {
		text = inURL.ReplaceAllString(text, "${1}"+hidden+"@")
	}
	if !suspect(text) {
		return text
	}
	return secrets.ReplaceAllString(text, hidden)
}

// suspect reports whether a text has a sign of a secret.
func suspect(text string) bool {
	lower := strings.ToLower(text)
	return slices.ContainsFunc(secretForms, func(f form) bool { return f.marks(text, lower) })
}

// marks reports whether a text, or the same in lower case, has a sign of the form.
func (f form) marks(text, lower string) bool {
	for _, sign := range f.signs {
		if strings.Contains(text, sign) || strings.Contains(lower, sign) {
			return true
		}
	}
	return false
}
