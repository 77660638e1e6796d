// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

// Methods and `_meta` keys of MCP that the gateway looks at (MCP 2026-07-28 and 2025-11-25).
const (
	methodInitialize       = "initialize"
	methodInitialized      = "notifications/initialized"
	methodPing             = "ping"
	methodDiscover         = "server/discover"
	methodListTools        = "tools/list"
	methodCallTool         = "tools/call"
	methodListResources    = "resources/list"
	methodListTemplates    = "resources/templates/list"
	methodReadResource     = "resources/read"
	methodSubscribe        = "resources/subscribe"
	methodUnsubscribe      = "resources/unsubscribe"
	methodListPrompts      = "prompts/list"
	methodGetPrompt        = "prompts/get"
	methodComplete         = "completion/complete"
	methodSetLevel         = "logging/setLevel"
	methodListen           = "subscriptions/listen"
	methodGetTask          = "tasks/get"
	methodUpdateTask       = "tasks/update"
	methodCancelTask       = "tasks/cancel"
	methodElicit           = "elicitation/create"
	methodSample           = "sampling/createMessage"
	methodListRoots        = "roots/list"
	methodCancelled        = "notifications/cancelled"
	methodProgress         = "notifications/progress"
	methodMessage          = "notifications/message"
	methodRootsChanged     = "notifications/roots/list_changed"
	methodToolsChanged     = "notifications/tools/list_changed"
	methodPromptsChanged   = "notifications/prompts/list_changed"
	methodResourcesChanged = "notifications/resources/list_changed"
	methodResourceUpdated  = "notifications/resources/updated"

	metaVersion      = "io.modelcontextprotocol/protocolVersion"
	metaClientInfo   = "io.modelcontextprotocol/clientInfo"
	metaCapabilities = "io.modelcontextprotocol/clientCapabilities"
	metaLogLevel     = "io.modelcontextprotocol/logLevel"
	metaServerInfo   = "io.modelcontextprotocol/serverInfo"

	// firstModern is the first stateless version of MCP. Versions are dates, so that they
	// compare as strings.
	firstModern = "2026-07-28"
	// lastLegacy is the newest version with sessions.
	lastLegacy = "2025-11-25"
)
