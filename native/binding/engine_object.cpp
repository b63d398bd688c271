// SPDX-License-Identifier: Apache-2.0
// `new addon.Engine()`: an EngineOwner for JavaScript. Changes run on the executor and return promises; reads never
// wait.
#include <napi.h>

#include "binding/addon_data.hpp"
#include "binding/engine_arguments.hpp"
#include "binding/engine_results.hpp"
#include "binding/fingerprints.hpp"
#include "binding/interface_results.hpp"
#include "binding/registration.hpp"

namespace crosswire::binding {
namespace {

// The engines of an environment. At its end, their threads stop before its objects are destroyed.
class EngineOwners final : public AddonPart {
 public:
  ~EngineOwners() override {
    for (const auto& known : owners_) {
      if (const auto owner = known.lock()) owner->close();
    }
  }
  void remember(const std::shared_ptr<EngineOwner>& owner) {
    std::erase_if(owners_, [](const auto& known) { return known.expired(); });
    owners_.push_back(owner);
  }

 private:
  std::vector<std::weak_ptr<EngineOwner>> owners_;
};

// If the object is garbage collected without close(), its last job destroys the owner, which joins its threads.
class EngineObject final : public Napi::ObjectWrap<EngineObject> {
 public:
  explicit EngineObject(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<EngineObject>(info), owner_(std::make_shared<EngineOwner>()) {
    static_cast<EngineOwners&>(*data(info).engine).remember(owner_);
  }

  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Engine",
                       {
                           InstanceMethod<&EngineObject::start>("start"),
                           InstanceMethod<&EngineObject::close>("close"),
                           InstanceMethod<&EngineObject::start_wire>("startWire"),
                           InstanceMethod<&EngineObject::start_proxy>("startProxy"),
                           InstanceMethod<&EngineObject::replace_end>("replaceEnd"),
                           InstanceMethod<&EngineObject::stop_wire>("stopWire"),
                           InstanceMethod<&EngineObject::own_namespace>("engineNamespace"),
                           InstanceMethod<&EngineObject::describe_wire>("describeWire"),
                           InstanceMethod<&EngineObject::fingerprints>("fingerprints"),
                           InstanceMethod<&EngineObject::read_counters>("readCounters"),
                           InstanceMethod<&EngineObject::worker_statistics>("workerStatistics"),
                       });
  }

 private:
  static AddonData& data(const Napi::CallbackInfo& info) { return *info.Env().GetInstanceData<AddonData>(); }
  static Executor& executor(const Napi::CallbackInfo& info) { return data(info).executor; }

  Napi::Value start(const Napi::CallbackInfo& info) {
    const auto options = read_engine_options(Fields::of_argument(info, 0, "start the engine"));
    return executor(info).run(info.Env(), [owner = owner_, options] { return owner->start(options); });
  }

  Napi::Value close(const Napi::CallbackInfo& info) {
    return executor(info).run(info.Env(), [owner = owner_]() -> Result<> {
      owner->close();
      return Done{};
    });
  }

  Napi::Value start_wire(const Napi::CallbackInfo& info) {
    const auto request = read_wire_request(Fields::of_argument(info, 0, "start a wire"));
    return executor(info).run<uint64_t>(
        info.Env(), [owner = owner_, request] { return owner->start_wire(request); },
        [](Napi::Env env, uint64_t handle) { return Napi::Number::New(env, static_cast<double>(handle)); });
  }

  Napi::Value start_proxy(const Napi::CallbackInfo& info) {
    const auto options = read_proxy_options(Fields::of_argument(info, 0, "start a wire"));
    return executor(info).run<uint64_t>(
        info.Env(), [owner = owner_, options] { return owner->start_proxy(options); },
        [](Napi::Env env, uint64_t handle) { return Napi::Number::New(env, static_cast<double>(handle)); });
  }

  Napi::Value replace_end(const Napi::CallbackInfo& info) {
    const char* operation = "replace an end of a wire";
    const uint64_t handle = handle_argument(info, 0, operation);
    const EndName end = end_argument(info, 1, operation);
    const auto request = read_link_request(Fields::of_argument(info, 2, operation));
    return executor(info).run(
        info.Env(), [owner = owner_, handle, end, request] { return owner->replace_end(handle, end, request); });
  }

  Napi::Value stop_wire(const Napi::CallbackInfo& info) {
    const uint64_t handle = handle_argument(info, 0, "stop a wire");
    return executor(info).run(info.Env(), [owner = owner_, handle] { return owner->stop_wire(handle); });
  }

  Napi::Value own_namespace(const Napi::CallbackInfo& info) {
    return executor(info).run<os::NamespaceEntry>(
        info.Env(), [owner = owner_] { return owner->own_namespace(); }, make_namespace_entry);
  }

  Napi::Value describe_wire(const Napi::CallbackInfo& info) {
    const uint64_t handle = handle_argument(info, 0, "describe a wire");
    auto states = owner_->describe(handle);
    if (!states) throw_error(info.Env(), states.error());
    return make_description(info.Env(), states.value());
  }

  Napi::Value read_counters(const Napi::CallbackInfo& info) {
    const Engine* engine = owner_->engine();
    if (engine == nullptr) return make_counters(info.Env(), {});
    if (info.Length() == 0 || info[0].IsUndefined()) return make_counters(info.Env(), engine->snapshot());
    CounterSnapshot one{{handle_argument(info, 0, "read the counters")}, std::vector<uint64_t>(wire_counter_words)};
    const bool known = engine->snapshot(one.handles[0], std::span<uint64_t, wire_counter_words>(one.words));
    return make_counters(info.Env(), known ? one : CounterSnapshot{});
  }

  Napi::Value fingerprints(const Napi::CallbackInfo& info) {
    const Engine* engine = owner_->engine();
    return make_fingerprints(info.Env(), engine == nullptr ? std::vector<Fingerprint>{} : fingerprints_of(*engine));
  }

  Napi::Value worker_statistics(const Napi::CallbackInfo& info) {
    const Engine* engine = owner_->engine();
    return make_worker_statistics(info.Env(),
                                  engine == nullptr ? std::vector<WorkerStatistics>{} : engine->statistics());
  }

  std::shared_ptr<EngineOwner> owner_;
};

Napi::Array make_drop_reasons(Napi::Env env) {
  auto names = Napi::Array::New(env, drop_reason_count);
  for (uint32_t i = 0; i < drop_reason_count; i++) names.Set(i, std::string(drop_reason_names[i]));
  return names;
}

}  // namespace

void register_engine(Napi::Env env, Napi::Object exports, AddonData& data) {
  data.engine = std::make_unique<EngineOwners>();
  exports.Set("Engine", EngineObject::define(env));
  exports.Set("dropReasons", make_drop_reasons(env));
}

}  // namespace crosswire::binding
