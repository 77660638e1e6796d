// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"maps"
	"net/http"
	"slices"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	conformancev1 "github.com/mcpconnect/mcpconnect/conformance/connect/gen/connectrpc/conformance/v1"
)

// addHeaders adds what the suite wants sent.
func addHeaders(to http.Header, headers []*conformancev1.Header) {
	for _, h := range headers {
		for _, value := range h.GetValue() {
			to.Add(h.GetName(), value)
		}
	}
}

// headersOf is what has come, for the suite to look at.
func headersOf(from map[string][]string) []*conformancev1.Header {
	var headers []*conformancev1.Header
	for _, name := range slices.Sorted(maps.Keys(from)) {
		headers = append(headers, &conformancev1.Header{Name: name, Value: from[name]})
	}
	return headers
}

// errorFrom is the error that the suite asks for, with details added.
func errorFrom(e *conformancev1.Error, more ...proto.Message) error {
	err := connect.NewError(connect.Code(e.GetCode()), errors.New(e.GetMessage()))
	for _, packed := range e.GetDetails() {
		detail, broken := connect.NewErrorDetail(packed)
		if broken != nil {
			return broken
		}
		err.AddDetail(detail)
	}
	for _, m := range more {
		detail, broken := connect.NewErrorDetail(m)
		if broken != nil {
			return broken
		}
		err.AddDetail(detail)
	}
	return err
}

// errorTo tells the suite of an error that has come.
func errorTo(err error) *conformancev1.Error {
	e, ok := errors.AsType[*connect.Error](err)
	if !ok {
		return &conformancev1.Error{Code: conformancev1.Code_CODE_UNKNOWN, Message: new(err.Error())}
	}
	to := &conformancev1.Error{Code: conformancev1.Code(e.Code()), Message: new(e.Message())}
	for _, d := range e.Details() {
		to.Details = append(to.Details, &anypb.Any{TypeUrl: "type.googleapis.com/" + d.Type(), Value: d.Bytes()})
	}
	return to
}
