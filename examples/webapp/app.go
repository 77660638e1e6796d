// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"embed"
	"html/template"
	"io"
	"io/fs"
	"log"
	"net/http"
	"time"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

//go:embed templates/*.html templates/style.css templates/icon.svg
var files embed.FS

// The page that vite built from the sources in page. It is committed, so that the app builds
// without Node; a test compares it with what the sources give.
//
//go:embed page/dist
var page embed.FS

var templates = template.Must(template.ParseFS(files, "templates/*.html"))

// contentPolicy lets pages load what this app serves, and nothing else. Images of tools
// come as blob: URLs, which the page makes of bytes that it has.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; report-uri /csp-report"

// app is what was there before MCP came: a shelf, a login, templates.
type app struct {
	shelf  *shelf
	logins *logins
	mcp    *mcpconnect.Handler
}

func newApp(tokenLife time.Duration, origins []string) *app {
	a := &app{shelf: newShelf(), logins: newLogins(tokenLife)}
	a.mcp = mcpconnect.NewHandler(newServer(a.shelf),
		mcpconnect.WithAuthn(authn.Bearer{a.logins}),
		mcpconnect.WithOrigins(origins...))
	return a
}

func (a *app) routes() http.Handler {
	pages := http.NewServeMux()
	pages.HandleFunc("GET /{$}", a.loggedIn(a.showShelf))
	pages.HandleFunc("POST /items", a.loggedIn(a.addItem))
	pages.HandleFunc("GET /login", a.showLogin)
	pages.HandleFunc("POST /login", a.login)
	pages.HandleFunc("POST /logout", a.logout)
	pages.HandleFunc("POST /token", a.token)
	pages.HandleFunc("POST /csp-report", reportViolation)
	pages.HandleFunc("GET /style.css", static("templates/style.css", "text/css; charset=utf-8"))
	pages.HandleFunc("GET /icon.svg", static("templates/icon.svg", "image/svg+xml"))
	built, err := fs.Sub(page, "page/dist")
	if err != nil {
		log.Panic(err) // the embedded folder has that name
	}
	pages.Handle("GET /assistant/", a.loggedIn(http.StripPrefix("/assistant/", http.FileServerFS(built)).ServeHTTP))

	// The app's own forms and its cookie are safe from pages of others; the handler has no
	// cookie to steal, and looks at origins itself.
	var forged http.CrossOriginProtection
	mux := http.NewServeMux()
	mux.Handle("/", secured(forged.Handler(pages)))
	mux.Handle("/mcp.v1.MCP/", a.mcp)
	return mux
}

// secured gives every page the headers that keep it alone.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

func static(name, contentType string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		http.ServeFileFS(w, r, files, name)
	}
}

// maxReport bounds what a browser can make the log hold.
const maxReport = 4 << 10

func reportViolation(w http.ResponseWriter, r *http.Request) {
	report, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxReport))
	if err == nil {
		log.Printf("csp: %q", report)
	}
	w.WriteHeader(http.StatusNoContent)
}

func (a *app) showShelf(w http.ResponseWriter, _ *http.Request) {
	render(w, http.StatusOK, "shelf.html", a.shelf.list())
}

func (a *app) addItem(w http.ResponseWriter, r *http.Request) {
	name := r.PostFormValue("name")
	if name == "" || len(name) > maxName {
		http.Error(w, "name: give 1 to 40 bytes", http.StatusBadRequest)
		return
	}
	a.shelf.add(name, 1)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func render(w http.ResponseWriter, status int, name string, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if err := templates.ExecuteTemplate(w, name, data); err != nil {
		log.Printf("%s: %v", name, err)
	}
}
