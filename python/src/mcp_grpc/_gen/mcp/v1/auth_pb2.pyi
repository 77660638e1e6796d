# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetMetadataRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ProtectedResourceMetadata(_message.Message):
    __slots__ = ("resource", "authorization_servers", "scopes_supported", "jwks_uri", "bearer_methods_supported", "resource_signing_alg_values_supported", "resource_name", "resource_documentation", "resource_policy_uri", "resource_tos_uri", "tls_client_certificate_bound_access_tokens", "authorization_details_types_supported", "dpop_signing_alg_values_supported", "dpop_bound_access_tokens_required", "signed_metadata", "extra")
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    AUTHORIZATION_SERVERS_FIELD_NUMBER: _ClassVar[int]
    SCOPES_SUPPORTED_FIELD_NUMBER: _ClassVar[int]
    JWKS_URI_FIELD_NUMBER: _ClassVar[int]
    BEARER_METHODS_SUPPORTED_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_SIGNING_ALG_VALUES_SUPPORTED_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_NAME_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_DOCUMENTATION_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_POLICY_URI_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_TOS_URI_FIELD_NUMBER: _ClassVar[int]
    TLS_CLIENT_CERTIFICATE_BOUND_ACCESS_TOKENS_FIELD_NUMBER: _ClassVar[int]
    AUTHORIZATION_DETAILS_TYPES_SUPPORTED_FIELD_NUMBER: _ClassVar[int]
    DPOP_SIGNING_ALG_VALUES_SUPPORTED_FIELD_NUMBER: _ClassVar[int]
    DPOP_BOUND_ACCESS_TOKENS_REQUIRED_FIELD_NUMBER: _ClassVar[int]
    SIGNED_METADATA_FIELD_NUMBER: _ClassVar[int]
    EXTRA_FIELD_NUMBER: _ClassVar[int]
    resource: str
    authorization_servers: _containers.RepeatedScalarFieldContainer[str]
    scopes_supported: _containers.RepeatedScalarFieldContainer[str]
    jwks_uri: str
    bearer_methods_supported: _containers.RepeatedScalarFieldContainer[str]
    resource_signing_alg_values_supported: _containers.RepeatedScalarFieldContainer[str]
    resource_name: str
    resource_documentation: str
    resource_policy_uri: str
    resource_tos_uri: str
    tls_client_certificate_bound_access_tokens: bool
    authorization_details_types_supported: _containers.RepeatedScalarFieldContainer[str]
    dpop_signing_alg_values_supported: _containers.RepeatedScalarFieldContainer[str]
    dpop_bound_access_tokens_required: bool
    signed_metadata: str
    extra: _struct_pb2.Struct
    def __init__(self, resource: _Optional[str] = ..., authorization_servers: _Optional[_Iterable[str]] = ..., scopes_supported: _Optional[_Iterable[str]] = ..., jwks_uri: _Optional[str] = ..., bearer_methods_supported: _Optional[_Iterable[str]] = ..., resource_signing_alg_values_supported: _Optional[_Iterable[str]] = ..., resource_name: _Optional[str] = ..., resource_documentation: _Optional[str] = ..., resource_policy_uri: _Optional[str] = ..., resource_tos_uri: _Optional[str] = ..., tls_client_certificate_bound_access_tokens: _Optional[bool] = ..., authorization_details_types_supported: _Optional[_Iterable[str]] = ..., dpop_signing_alg_values_supported: _Optional[_Iterable[str]] = ..., dpop_bound_access_tokens_required: _Optional[bool] = ..., signed_metadata: _Optional[str] = ..., extra: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...) -> None: ...
