// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

func at(n *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("line %d: %w", n.Line, fmt.Errorf(format, args...))
}

// reference is ${NAME}, or ${NAME:-default}; $${ stands for a plain ${.
var reference = regexp.MustCompile(`\$?\$\{([^}]*)\}`)

var variable = regexp.MustCompile(`^(?:env:)?([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$`)

// expand replaces the references in all values. What replaces them is never read as YAML, and
// keys stay as they are.
func expand(n *yaml.Node, lookup func(string) (string, bool)) error {
	if n.Kind == yaml.AliasNode {
		return at(n, "aliases are not supported")
	}
	if n.Kind == yaml.ScalarNode && strings.Contains(n.Value, "${") {
		return expandScalar(n, lookup)
	}
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			continue
		}
		if err := expand(child, lookup); err != nil {
			return err
		}
	}
	return nil
}

func expandScalar(n *yaml.Node, lookup func(string) (string, bool)) error {
	var failed error
	value := reference.ReplaceAllStringFunc(n.Value, func(ref string) string {
		if strings.HasPrefix(ref, "$$") {
			return ref[1:]
		}
		m := variable.FindStringSubmatch(ref[2 : len(ref)-1])
		if m == nil {
			failed = at(n, "%s is no reference: write ${NAME} or ${NAME:-default}, and $${ for a plain ${", ref)
			return ""
		}
		if value, ok := lookup(m[1]); ok {
			return value
		}
		if !strings.Contains(ref, ":-") && failed == nil {
			failed = at(n, "the environment variable %s is not set", m[1])
		}
		return m[2]
	})
	if failed != nil {
		return failed
	}
	n.Value = value
	if n.Style == 0 {
		n.Tag = "" // it may be a number now, or true
	}
	return nil
}

// decode reads a mapping into a struct. Members that the struct does not have are errors: they
// are most often misspelt.
func decode(n *yaml.Node, into any) error {
	if err := checkMembers(n, reflect.TypeOf(into).Elem()); err != nil {
		return err
	}
	return n.Decode(into)
}

func checkMembers(n *yaml.Node, t reflect.Type) error {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[yaml.Unmarshaler]()) {
		return nil // it checks by itself
	}
	switch t.Kind() {
	case reflect.Struct:
		if n.Kind != yaml.MappingNode {
			return at(n, "want a mapping of names to values")
		}
		known := members(t)
		for i := 0; i < len(n.Content); i += 2 {
			member, ok := known[n.Content[i].Value]
			if !ok {
				return at(n.Content[i], "%q is unknown here", n.Content[i].Value)
			}
			if err := checkMembers(n.Content[i+1], member); err != nil {
				return err
			}
		}
	case reflect.Map:
		for i := 1; i < len(n.Content); i += 2 {
			if err := checkMembers(n.Content[i], t.Elem()); err != nil {
				return err
			}
		}
	case reflect.Slice:
		for _, element := range n.Content {
			if err := checkMembers(element, t.Elem()); err != nil {
				return err
			}
		}
	}
	return nil
}

func members(t reflect.Type) map[string]reflect.Type {
	known := map[string]reflect.Type{}
	for f := range t.Fields() {
		name, option, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case option == "inline":
			maps.Copy(known, members(f.Type))
		case name != "" && name != "-":
			known[name] = f.Type
		}
	}
	return known
}
