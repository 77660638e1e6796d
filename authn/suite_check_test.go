// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// check compares what an attack gave with what it has to give.
func (l *lab) check(t *testing.T, a attack, w wire, f form, c *caller, got reply) {
	t.Helper()
	want := a.want
	if want == (verdict{}) {
		want = invalid
		if got.code == connect.CodeUnavailable {
			want = unavailable
		}
	}
	if got.code != want.code || (want.text != "" && !strings.HasPrefix(got.err, want.code.String()+": "+want.text)) {
		t.Errorf("%s %s: got %v %q, want %v %q", a.row, a.name, got.code, got.err, want.code, want.text)
	}
	status, challenges := c.rec.last()
	wantStatus := http.StatusOK
	if want.plain || (f.unary && !w.grpc() && !w.grpcWeb()) {
		wantStatus = want.status
	}
	if status != wantStatus {
		t.Errorf("%s %s: got HTTP status %d, want %d", a.row, a.name, status, wantStatus)
	}
	var wantChallenges []string
	if want.challenge != "" {
		wantChallenges = []string{want.challenge}
	}
	if !slices.Equal(challenges, wantChallenges) {
		t.Errorf("%s %s: got the challenges %q, want %q", a.row, a.name, challenges, wantChallenges)
	}
	if (got.info != nil) != (want.challenge != "") {
		t.Errorf("%s %s: got the detail %v", a.row, a.name, got.info)
	}
}

// searchCanary looks for credentials in all that can be seen.
func (l *lab) searchCanary(t *testing.T, said string) {
	t.Helper()
	spans := new(strings.Builder)
	for _, s := range l.spans.Ended() {
		fmt.Fprintln(spans, s.Name(), s.Attributes(), s.Events(), s.Status())
	}
	var measured metricdata.ResourceMetrics
	if err := l.metrics.Collect(t.Context(), &measured); err != nil {
		t.Fatal(err)
	}
	metrics, err := json.Marshal(measured)
	if err != nil || len(measured.ScopeMetrics) == 0 {
		t.Errorf("got the metrics %s, %v", metrics, err)
	}
	logged := l.log.String()
	if !strings.Contains(logged, "request refused") {
		t.Error("nothing was logged")
	}
	secrets := []string{canary, l.key, l.key[len(l.key)-30:]}
	for where, text := range map[string]string{"responses": said, "logs": logged, "spans": spans.String(), "metrics": string(metrics)} {
		for _, secret := range secrets {
			if i := strings.Index(text, secret); i >= 0 {
				t.Errorf("a credential is in the %s: …%q", where, text[max(0, i-200):min(len(text), i+80)])
			}
		}
		if where != "logs" && strings.Contains(text, inside) {
			t.Errorf("what is the operators' business is in the %s", where)
		}
		if strings.Contains(text, "eyJ") {
			t.Errorf("a token is in the %s", where)
		}
	}
}
