// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/auth"
)

func TestPrincipalID(t *testing.T) {
	t.Parallel()
	all := []struct {
		p    Principal
		want string
	}{
		{Principal{Issuer: "https://a.example", Subject: "ann", Method: MethodJWT}, "https://a.example|ann"},
		{Principal{Issuer: "https://a.example", Subject: "ann", Method: MethodIntrospection}, "https://a.example|ann"},
		{Principal{Issuer: "https://a.example", Tenant: "t", Subject: "ann"}, "https://a.example|t|ann"},
		{Principal{Issuer: "https://a.example", Subject: "t|ann"}, "https://a.example|t%7Cann"},
		{Principal{Issuer: "https://a.example", Subject: "t%7Cann"}, "https://a.example|t%257Cann"},
		{Principal{Issuer: "https://b.example", Subject: "ann"}, "https://b.example|ann"},
		{Principal{Issuer: "https://a.example|t", Subject: "ann"}, "https://a.example%7Ct|ann"},
		{Principal{Method: MethodAPIKey, Subject: "ann"}, "api-key|ann"},
		{Principal{Method: MethodAPIKey, Tenant: "t", Subject: "ann"}, "api-key|t|ann"},
	}
	for _, test := range all {
		if got := test.p.ID(); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

func TestContext(t *testing.T) {
	t.Parallel()
	if p := FromContext(t.Context()); p != nil {
		t.Errorf("got %v of an empty context", p)
	}
	p := sealed(Principal{Issuer: "https://a.example", Subject: "ann", ClientID: "app", Scopes: []string{"read"}, Method: MethodJWT, Expires: time.Unix(1e9, 0)})
	ctx := NewContext(t.Context(), p)
	if FromContext(ctx) != p {
		t.Error("the principal is not in its context")
	}
	want := &auth.TokenInfo{Scopes: []string{"read"}, Expiration: time.Unix(1e9, 0), UserID: "https://a.example|ann", Extra: map[string]any{
		"issuer": "https://a.example", "subject": "ann", "client_id": "app", "method": "jwt",
	}}
	if diff := cmp.Diff(want, auth.TokenInfoFromContext(ctx)); diff != "" {
		t.Errorf("the SDK sees (-want +got):\n%s", diff)
	}
}

func TestUntilEnd(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		caller func(revoked context.Context) *Principal
		ends   time.Duration // zero: not at all
	}{
		{"no caller", func(context.Context) *Principal { return nil }, 0},
		{"a caller for ever", func(context.Context) *Principal { return &Principal{} }, 0},
		{"at the end of a token", func(context.Context) *Principal { return &Principal{Expires: time.Now().Add(time.Hour)} }, time.Hour + clockSkew},
		{"at the end of the certificate below", func(context.Context) *Principal {
			return &Principal{Expires: time.Now().Add(time.Hour), Connection: &Principal{Expires: time.Now().Add(time.Minute)}}
		}, time.Minute + clockSkew},
		{"when revoked", func(revoked context.Context) *Principal {
			return &Principal{Expires: time.Now().Add(time.Hour), revoked: revoked}
		}, 10 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				revoked, stop := context.WithTimeout(context.Background(), 10*time.Second)
				defer stop()
				ctx := context.Background()
				p := test.caller(revoked)
				if p != nil {
					ctx = NewContext(ctx, p)
				}
				begin := time.Now()
				ctx, cancel := UntilEnd(ctx)
				select {
				case <-ctx.Done():
				case <-time.After(24 * time.Hour):
				}
				var ended time.Duration
				if ctx.Err() != nil {
					ended = time.Since(begin)
					if cause := context.Cause(ctx); cause != ErrCredentialEnded {
						t.Errorf("got the cause %v", cause)
					}
				}
				if ended != test.ends {
					t.Errorf("ended after %v, want %v", ended, test.ends)
				}
				cancel()
				if ctx.Err() == nil && p != nil {
					t.Error("cancel has no effect")
				}
			})
		})
	}
}

func TestWithTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx := NewContext(context.Background(), &Principal{Expires: time.Now().Add(time.Minute)})
		for _, test := range []struct {
			timeout time.Duration
			cause   error
		}{{time.Minute, context.DeadlineExceeded}, {time.Hour, ErrCredentialEnded}} {
			timeout, cause := test.timeout, test.cause
			begin := time.Now()
			ctx, cancel := WithTimeout(ctx, timeout)
			<-ctx.Done()
			cancel()
			if took := time.Since(begin); context.Cause(ctx) != cause || took > timeout {
				t.Errorf("a call of %v ended after %v with %v, want %v", timeout, took, context.Cause(ctx), cause)
			}
		}
	})
}

func TestScopes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, text string
		want       []string
		bad        bool
	}{
		{"none", "", nil, false},
		{"one", "read", []string{"read"}, false},
		{"two", "read write", []string{"read", "write"}, false},
		{"a star is a name like any other", "*", []string{"*"}, false},
		{"two spaces", "read  write", nil, true},
		{"a tab", "read\twrite", nil, true},
		{"a no-break space", "read\u00a0write", nil, true},
		{"a quote", "re\"ad", nil, true},
		{"a backslash", "re\\ad", nil, true},
	} {
		got, err := parseScopes(test.text)
		if (err != nil) != test.bad || !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, %v, want %q", test.name, got, err, test.want)
		}
	}
}
