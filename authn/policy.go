// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/yosida95/uritemplate/v3"
)

// A Rule says what a caller needs for one tool, prompt, resource or method. The zero value
// lets every authenticated caller.
type Rule struct {
	// Scopes are needed, all of them.
	Scopes []string
	// ScopesFor gives scopes that are needed beside Scopes, by the arguments as JSON: nil
	// when the thing is listed. It gives all that the call needs at once, whatever the
	// caller has. It must be safe for concurrent use. If nil there are none.
	ScopesFor func(ctx context.Context, arguments json.RawMessage) []string
}

// An Action is what a caller wants to do.
type Action struct {
	// Method is that of MCP: "tools/call", "prompts/get", "resources/read", or any other.
	// Completions ask for the prompt or resource that they are about, subscriptions for
	// the resource.
	Method string
	// Name is the tool, the prompt, or the URI of the resource or resource template. It is
	// empty for other methods.
	Name string
	// Arguments are those of the call as JSON, nil for none.
	Arguments json.RawMessage
	// Listing is set when the question is whether the thing is shown in a list.
	Listing bool
}

// An Authorizer decides what rules cannot say. It returns nil to allow an action,
// [InsufficientScope] if a token with other scopes could do it, and [Denied] if nothing
// could. Any other error counts as a failure of the Authorizer: the action fails, and the
// error is logged. p is never nil. It must be safe for concurrent use.
type Authorizer func(ctx context.Context, p *Principal, a Action) error

// PolicyConfig says who may do what. Each tool, prompt and resource without a rule is
// refused, and so is each method that users have registered; what there is and what there
// is not is refused alike. Methods that only show what the caller may do anyway need no
// rule: discovery, lists, ping, the legacy handshake and notifications.
type PolicyConfig struct {
	// Baseline are the scopes that every request needs. Requests without are refused
	// before their body is read.
	Baseline []string
	// Tools and Prompts are rules by name, Methods by method: "tools/list", or one that
	// users have registered.
	Tools, Prompts, Methods map[string]Rule
	// Resources are rules by URI or by URI template (RFC 6570), as resources and resource
	// templates are registered. A URI with a rule of its own needs that; any other needs
	// all that match.
	Resources map[string]Rule
	// Default is the rule for what has none. If nil, that is refused.
	Default *Rule
	// Implies gives the scopes that a scope includes, directly or by others in it:
	// {"admin": {"write"}, "write": {"read"}}. Challenges never name more than is needed.
	Implies map[string][]string
	// Authorizer is asked for what the rules allow. If nil, the rules decide.
	Authorizer Authorizer
}

// A Policy decides who may do what. It is safe for concurrent use.
type Policy struct {
	cfg       PolicyConfig
	templates []resourceRule
	holders   map[string][]string // of each scope: the scopes that include it
}

type resourceRule struct {
	template *uritemplate.Template
	rule     Rule
}

// NewPolicy makes a Policy. It fails for scopes and templates that are none.
func NewPolicy(cfg PolicyConfig) (*Policy, error) {
	p := &Policy{cfg: cfg}
	if err := checkScopes(cfg.Baseline); err != nil {
		return nil, fmt.Errorf("policy: Baseline: %w", err)
	}
	for kind, rules := range map[string]map[string]Rule{"Tools": cfg.Tools, "Prompts": cfg.Prompts, "Methods": cfg.Methods, "Resources": cfg.Resources} {
		for name, rule := range rules {
			if err := checkScopes(rule.Scopes); err != nil {
				return nil, fmt.Errorf("policy: %s[%q]: %w", kind, name, err)
			}
		}
	}
	if cfg.Default != nil {
		if err := checkScopes(cfg.Default.Scopes); err != nil {
			return nil, fmt.Errorf("policy: Default: %w", err)
		}
	}
	for uri, rule := range cfg.Resources {
		t, err := uritemplate.New(uri)
		if err != nil {
			return nil, fmt.Errorf("policy: Resources[%q] is neither a URI nor a template: %w", uri, err)
		}
		if len(t.Varnames()) > 0 {
			p.templates = append(p.templates, resourceRule{t, rule})
		}
	}
	var err error
	p.holders, err = holders(cfg.Implies)
	return p, err
}

// holders turns a hierarchy round: of each scope, all that include it.
func holders(implies map[string][]string) (map[string][]string, error) {
	all := map[string][]string{}
	for scope, below := range implies {
		if err := checkScopes(append([]string{scope}, below...)); err != nil {
			return nil, fmt.Errorf("policy: Implies: %w", err)
		}
		seen := map[string]bool{scope: true}
		for queue := below; len(queue) > 0; queue = queue[1:] {
			if s := queue[0]; !seen[s] {
				seen[s] = true
				all[s] = append(all[s], scope)
				queue = append(slices.Clip(queue), implies[s]...)
			}
		}
	}
	return all, nil
}

// Allow decides whether the caller of ctx may do a. Errors for the caller are those of
// [InsufficientScope] and [Denied]; any other says that the [Authorizer] failed.
func (p *Policy) Allow(ctx context.Context, a Action) error {
	caller := FromContext(ctx)
	if caller == nil {
		return Denied()
	}
	rules, ok := p.rulesFor(a)
	if !ok {
		return Denied()
	}
	need := p.cfg.Baseline
	enough := p.has(caller, need)
	for _, r := range rules {
		scopes := r.Scopes
		if r.ScopesFor != nil {
			scopes = append(slices.Clip(scopes), r.ScopesFor(ctx, a.Arguments)...)
		}
		need = append(slices.Clip(need), scopes...)
		enough = enough && p.has(caller, scopes)
	}
	if !enough {
		return InsufficientScope(need...)
	}
	if p.cfg.Authorizer == nil {
		return nil
	}
	return authorized(p.cfg.Authorizer(ctx, caller, a))
}

// errAuthorizer says that an Authorizer has failed. Nobody is let through.
var errAuthorizer = errors.New("the authorizer failed")

func authorized(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*jsonrpc.Error](err); ok && IsDenial(e) {
		return e
	}
	return fmt.Errorf("%w: %w", errAuthorizer, err)
}

// rulesFor gives all rules that must be met, false if the action is refused anyway.
func (p *Policy) rulesFor(a Action) ([]Rule, bool) {
	var rules []Rule
	method, found := p.cfg.Methods[a.Method]
	if found {
		rules = append(rules, method)
	}
	switch a.Method {
	case "tools/call":
		return p.add(rules, p.cfg.Tools, a.Name)
	case "prompts/get":
		return p.add(rules, p.cfg.Prompts, a.Name)
	case "resources/read":
		return p.addResource(rules, a.Name)
	}
	if found || openMethods[a.Method] || strings.HasPrefix(a.Method, "notifications/") {
		return rules, true
	}
	return p.add(rules, nil, "")
}

// openMethods show a caller nothing but what rules for tools, prompts and resources allow.
var openMethods = map[string]bool{
	"initialize": true, "ping": true, "server/discover": true, "logging/setLevel": true,
	"tools/list": true, "prompts/list": true, "resources/list": true, "resources/templates/list": true,
	"subscriptions/listen": true, "resources/subscribe": true, "resources/unsubscribe": true, "completion/complete": true,
}

func (p *Policy) add(rules []Rule, named map[string]Rule, name string) ([]Rule, bool) {
	if r, ok := named[name]; ok {
		return append(rules, r), true
	}
	if p.cfg.Default != nil {
		return append(rules, *p.cfg.Default), true
	}
	return nil, false
}

func (p *Policy) addResource(rules []Rule, uri string) ([]Rule, bool) {
	if r, ok := p.cfg.Resources[uri]; ok {
		return append(rules, r), true
	}
	found := false
	for _, t := range p.templates {
		if t.template.Match(uri) != nil {
			rules, found = append(rules, t.rule), true
		}
	}
	if found {
		return rules, true
	}
	return p.add(rules, nil, "")
}

// has tells whether the caller has all scopes, itself or by one that includes it.
func (p *Policy) has(caller *Principal, scopes []string) bool {
	for _, need := range scopes {
		if slices.Contains(caller.Scopes, need) {
			continue
		}
		if !slices.ContainsFunc(p.holders[need], func(s string) bool { return slices.Contains(caller.Scopes, s) }) {
			return false
		}
	}
	return true
}

// baseline gives the scopes that every request needs. A nil Policy needs none.
func (p *Policy) baseline() []string {
	if p == nil {
		return nil
	}
	return p.cfg.Baseline
}

// admit gives an error if a caller lacks the baseline.
func (p *Policy) admit(caller *Principal) *jsonrpc.Error {
	if p == nil || p.has(caller, p.cfg.Baseline) {
		return nil
	}
	return InsufficientScope(p.cfg.Baseline...)
}
