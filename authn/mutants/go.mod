module github.com/mcpconnect/mcpconnect/authn/mutants

go 1.26.7
