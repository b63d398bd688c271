// SPDX-License-Identifier: Apache-2.0
// Interfaces and namespaces as the plain objects of src/dataplane/types.ts.
#pragma once

#include <napi.h>

#include "os/interface.hpp"
#include "os/namespaces.hpp"

namespace crosswire::binding {

Napi::Object make_interface(Napi::Env env, const os::InterfaceInfo& info);
Napi::Object make_namespace_identity(Napi::Env env, const os::NamespaceIdentity& identity);
Napi::Object make_namespace_entry(Napi::Env env, const os::NamespaceEntry& entry);

template <class Items, class Convert>
Napi::Array make_array(Napi::Env env, const Items& items, Convert convert) {
  auto array = Napi::Array::New(env, items.size());
  for (uint32_t i = 0; i < items.size(); ++i) array.Set(i, convert(env, items[i]));
  return array;
}

}  // namespace crosswire::binding
