package bitbuckettest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const (
	tokenAddress = "https://bitbucket.org" + TokenRoute
	formType     = "application/x-www-form-urlencoded"
	tokenForm    = "grant_type=client_credentials"
)

// ask sends a request for an access token.
func ask(t *testing.T, s *Server, method, address, authorization, contentType, body string) got {
	t.Helper()
	r := httptest.NewRequest(method, address, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	return exchange(t, s, r)
}

func TestTokenRefusals(t *testing.T) {
	t.Parallel()
	good, public := basic("key", "hush"), basic("public", "hush")
	tests := []struct {
		name, method, address, authorization, contentType, body string
		status                                                  int
		code, violation                                         string // a part of it; "" when none is noted
	}{
		{"no credential", "POST", tokenAddress, "", formType, tokenForm, 400, "unauthorized_client", "no Basic"},
		{"wrong secret", "POST", tokenAddress, basic("key", "hash"), formType, tokenForm, 400, "unauthorized_client", "unknown consumer"},
		{"wrong id", "POST", tokenAddress, basic("kay", "hush"), formType, tokenForm, 400, "unauthorized_client", "unknown consumer"},
		{"Bearer", "POST", tokenAddress, "Bearer hush", formType, tokenForm, 400, "unauthorized_client", "no Basic"},
		{"GET", "GET", tokenAddress, good, formType, tokenForm, 405, "", "method GET"},
		{"JSON", "POST", tokenAddress, good, "application/json", `{"grant_type":"client_credentials"}`, 400, "invalid_request", "no form"},
		{"another grant", "POST", tokenAddress, good, formType, "grant_type=password", 400, "unsupported_grant_type", "password"},
		{"no grant", "POST", tokenAddress, good, formType, "", 400, "unsupported_grant_type", "grant type"},
		{"secret in the body", "POST", tokenAddress, good, formType, tokenForm + "&client_secret=hush", 400, "invalid_request", "More parameters"},
		{"grant twice", "POST", tokenAddress, good, formType, tokenForm + "&" + tokenForm, 400, "invalid_request", "More parameters"},
		{"broken form", "POST", tokenAddress, good, formType, "grant_type=%zz", 400, "invalid_request", "does not parse"},
		{"query", "POST", tokenAddress + "?a=b", good, formType, tokenForm, 400, "invalid_request", "query"},
		{"at the API", "POST", "https://api.bitbucket.org" + TokenRoute, good, formType, tokenForm, 404, "", "host of the API"},
		{"public consumer", "POST", tokenAddress, public, formType, tokenForm, 400, "invalid_grant", ""},
		{"no callback", "POST", tokenAddress, basic("bare", "hush"), formType, tokenForm, 400, "invalid_request", ""},
		{"revoked", "POST", tokenAddress, basic("old", "gone"), formType, tokenForm, 400, "unauthorized_client", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := small(t)
			s.AllowConsumer("key", "hush")
			s.AllowConsumer("public", "hush", Consumer{Public: true})
			s.AllowConsumer("bare", "hush", Consumer{NoCallback: true})
			s.AllowConsumer("old", "gone")
			s.Revoke("gone")
			g := ask(t, s, tt.method, tt.address, tt.authorization, tt.contentType, tt.body)
			equal(t, "status", g.status, tt.status)
			if code, _ := g.at("error").(string); code != tt.code {
				t.Errorf("error: got %q, want %q", code, tt.code)
			}
			noted := strings.Join(s.Violations(), "\n")
			if (noted == "") != (tt.violation == "") || !strings.Contains(noted, tt.violation) {
				t.Errorf("violations: got %q, want %q in it", noted, tt.violation)
			}
			equal(t, "tokens", len(s.ConsumerTokens()), 0)
			equal(t, "requests for tokens", s.TokenRequests(), 1)
			equal(t, "requests to REST", s.Requests(), 0)
		})
	}
}

// give returns a new access token of the consumer "key", asked for at a host.
func give(t *testing.T, s *Server, host string) string {
	t.Helper()
	g := ask(t, s, http.MethodPost, "https://"+host+TokenRoute, basic("key", "hush"), formType, tokenForm)
	equal(t, "status of a token", g.status, http.StatusOK)
	text, _ := g.at("access_token").(string)
	if text == "" {
		t.Fatalf("the answer holds no token: %s", g.body)
	}
	return text
}

func TestConsumerTokens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := small(t)
		s.AllowConsumer("key", "hush", Consumer{Life: 90 * time.Second, Access: Access{Limit: 3, Scopes: []string{"repository"}}})
		const list, host = "https://api.bitbucket.org/2.0/repositories/acme", "bitbucket.org"
		first := give(t, s, host)
		second := give(t, s, host)
		if first == second {
			t.Fatal("got one token twice")
		}
		equal(t, "first", send(t, s, "GET", list, "Bearer "+first).status, 200)
		equal(t, "over git", send(t, s, "GET", "https://bitbucket.org/acme/checkout-api.git/info/refs?service=git-upload-pack", basic("x-token-auth", first)).status, 200)
		equal(t, "scope", send(t, s, "GET", list+"/empty/pullrequests", "Bearer "+first).status, 403)
		equal(t, "second", send(t, s, "GET", list, "Bearer "+second).status, 200)
		equal(t, "the allowance of both", send(t, s, "GET", list, "Bearer "+second).status, 429)

		time.Sleep(90*time.Second - time.Nanosecond)
		equal(t, "just before its end", send(t, s, "GET", list, "Bearer "+first).status, 429)
		time.Sleep(time.Nanosecond)
		g := send(t, s, "GET", list, "Bearer "+first)
		equal(t, "at its end", g.status, 401)
		equal(t, "message", strings.HasPrefix(g.message(), "Access token expired"), true)

		noted := len(s.Violations())
		equal(t, "again", send(t, s, "GET", list, "Bearer "+first).status, 401)
		equal(t, "violations", len(s.Violations()), noted+1)

		third := give(t, s, host)
		s.RevokeConsumerTokens("key")
		equal(t, "revoked", send(t, s, "GET", list, "Bearer "+third).status, 401)
		fourth := give(t, s, host)
		equal(t, "after others were revoked", send(t, s, "GET", list, "Bearer "+fourth).status, 429)
		equal(t, "credential", s.Journal()[0].Credential, "key")
	})
}

// What belongs to one host is refused at another one.
func TestConsumerAtAnotherHost(t *testing.T) {
	t.Parallel()
	s := small(t)
	s.AllowConsumer("key", "hush")
	const list = "/2.0/repositories/acme"
	ours, theirs := give(t, s, "bitbucket.test"), give(t, s, "bitbucket.org")
	equal(t, "the same host", send(t, s, "GET", "https://bitbucket.test"+list, "Bearer "+ours).status, 200)
	equal(t, "the API of the website", send(t, s, "GET", "https://api.bitbucket.org"+list, "Bearer "+theirs).status, 200)
	equal(t, "violations", len(s.Violations()), 0)
	equal(t, "another host", send(t, s, "GET", "https://api.bitbucket.org"+list, "Bearer "+ours).status, 401)
	equal(t, "another host", send(t, s, "GET", "https://bitbucket.test"+list, "Bearer "+theirs).status, 401)
	equal(t, "the secret", send(t, s, "GET", "https://bitbucket.test"+list, basic("key", "hush")).status, 401)
	noted := strings.Join(s.Violations(), "\n")
	for _, want := range []string{"of bitbucket.test sent to api.bitbucket.org", "of bitbucket.org sent to bitbucket.test", "the secret of a consumer sent to the API"} {
		if !strings.Contains(noted, want) {
			t.Errorf("violations: got %q, want %q in it", noted, want)
		}
	}
}

// Faults fall on the route of tokens as on any other, and the journal holds no token.
func TestFaultsOfTokens(t *testing.T) {
	t.Parallel()
	s := small(t)
	s.Record(true)
	s.AllowConsumer("key", "hush")
	fired := s.Fault(Fault{Route: TokenRoute, Status: 500})
	g := ask(t, s, http.MethodPost, tokenAddress, basic("key", "hush"), formType, tokenForm)
	equal(t, "status", g.status, 500)
	equal(t, "faults", fired(), 1)
	text := give(t, s, "bitbucket.org")
	for _, x := range s.Journal() {
		equal(t, "route", x.Route, TokenRoute)
		if strings.Contains(string(x.ResponseBody), text) || x.RequestHeader.Get("Authorization") != "" {
			t.Errorf("the journal holds a secret: %+v", x)
		}
	}
}

func TestHiddenRepositories(t *testing.T) {
	t.Parallel()
	s := small(t)
	s.AllowToken("narrow", Access{Hidden: []string{"empty", "checkout-api"}})
	for token, want := range map[string][3]int{"good": {4, 200, 200}, "narrow": {2, 404, 404}} {
		values, _ := send(t, s, "GET", "/repositories/acme", "Bearer "+token).at("values").([]any)
		equal(t, token+": listed", len(values), want[0])
		equal(t, token+": pull requests", send(t, s, "GET", "/repositories/acme/empty/pullrequests", "Bearer "+token).status, want[1])
		git := "https://bitbucket.org/acme/checkout-api.git/info/refs?service=git-upload-pack"
		equal(t, token+": git", send(t, s, "GET", git, basic("x-token-auth", token)).status, want[2])
	}
}
