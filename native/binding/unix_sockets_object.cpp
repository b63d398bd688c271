// SPDX-License-Identifier: Apache-2.0
// `new addon.UnixSockets(events)`: os::StreamSockets for JavaScript. Descriptors are passed as numbers and belong to
// the side that received them last.
#include <napi.h>

#include <map>
#include <vector>

#include "binding/addon_data.hpp"
#include "binding/arguments.hpp"
#include "binding/engine_arguments.hpp"
#include "binding/registration.hpp"
#include "os/stream_sockets.hpp"

namespace crosswire::binding {
namespace {

class UnixSocketsObject;

// The objects of an environment, by number, since an event may arrive for an object that does not exist any more.
class UnixSocketsObjects final : public AddonPart {
 public:
  ~UnixSocketsObjects() override;
  std::map<uint64_t, UnixSocketsObject*> objects;
  uint64_t last = 0;
};

AddonData& data_of(Napi::Env env) { return *env.GetInstanceData<AddonData>(); }

UnixSocketsObjects* objects_of(Napi::Env env) {
  return static_cast<UnixSocketsObjects*>(data_of(env).unix_sockets.get());
}

struct News final : Notice {
  uint64_t object = 0;
  const char* event = "";
  uint64_t listener = 0;
  os::ConnectionId connection = 0;
  os::Fd fd{};
  std::string text{};

  void deliver(Napi::Env env) override;
};

class UnixSocketsObject final : public Napi::ObjectWrap<UnixSocketsObject> {
 public:
  explicit UnixSocketsObject(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<UnixSocketsObject>(info),
        env_(info.Env()),
        id_(++objects_of(env_)->last),
        sockets_(std::make_shared<os::StreamSockets>(events(data_of(env_).notifier, id_))) {
    if (!info[0].IsObject()) throw_invalid_argument(env_, "use unix sockets", "argument", "must be an object");
    events_ = Napi::Persistent(info[0].As<Napi::Object>());
    objects_of(env_)->objects.emplace(id_, this);
  }

  ~UnixSocketsObject() override {
    close_sockets();
    if (auto* registry = objects_of(env_)) registry->objects.erase(id_);
  }

  void close_sockets() { sockets_->close(); }

  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "UnixSockets",
                       {
                           InstanceMethod<&UnixSocketsObject::listen>("listen"),
                           InstanceMethod<&UnixSocketsObject::close_listener>("closeListener"),
                           InstanceMethod<&UnixSocketsObject::dial>("dial"),
                           InstanceMethod<&UnixSocketsObject::send>("send"),
                           InstanceMethod<&UnixSocketsObject::received>("received"),
                           InstanceMethod<&UnixSocketsObject::close>("close"),
                       });
  }

  // Uses the C API: in a Worker that is being terminated every call fails, and node-addon-api aborts the process if it
  // cannot turn that into an Error. An exception of a handler stays pending, and Node reports it.
  void tell(Napi::Env env, News& news) {
    const auto connection = Napi::Number::New(env, static_cast<double>(news.connection));
    std::vector<napi_value> arguments;
    if (news.fd) {
      const auto listener = Napi::Number::New(env, static_cast<double>(news.listener));
      arguments = {listener, connection, Napi::Number::New(env, news.fd.get())};
    } else {
      arguments = {connection, Napi::String::New(env, news.text)};
    }
    const napi_value self = events_.Value();
    napi_value handler = nullptr;
    if (napi_get_named_property(env, self, news.event, &handler) != napi_ok) return;
    if (napi_call_function(env, self, handler, arguments.size(), arguments.data(), nullptr) == napi_ok) {
      news.fd.release();
    }
  }

 private:
  static os::StreamEvents events(Notifier& notifier, uint64_t object) {
    const auto post = [&notifier, object](const char* event, uint64_t listener, os::ConnectionId connection, os::Fd fd,
                                          const std::string& text) {
      auto news = std::make_unique<News>();
      news->object = object;
      news->event = event;
      news->listener = listener;
      news->connection = connection;
      news->fd = std::move(fd);
      news->text = text;
      notifier.post(std::move(news));
    };
    return {
        [post](uint64_t listener, os::ConnectionId connection, os::Fd inner) {
          post("accepted", listener, connection, std::move(inner), "");
        },
        [post](os::ConnectionId connection, const std::string& url) { post("file", 0, connection, {}, url); },
        [post](os::ConnectionId connection, const std::string& reason) { post("ended", 0, connection, {}, reason); },
    };
  }

  Napi::Value listen(const Napi::CallbackInfo& info) {
    return data_of(env_).executor.run<uint64_t>(
        env_,
        [sockets = sockets_, path = string_argument(info, 0, "listen on unix socket")] {
          return sockets->listen(path);
        },
        [](Napi::Env env, uint64_t listener) { return Napi::Number::New(env, static_cast<double>(listener)); });
  }

  Napi::Value close_listener(const Napi::CallbackInfo& info) {
    const uint64_t listener = handle_argument(info, 0, "stop listening on unix socket");
    return data_of(env_).executor.run(env_, [sockets = sockets_, listener]() -> Result<> {
      sockets->close_listener(listener);
      return Done{};
    });
  }

  Napi::Value dial(const Napi::CallbackInfo& info) {
    using Dialled = os::StreamSockets::Dialled;
    return data_of(env_).executor.run<Dialled>(
        env_,
        [sockets = sockets_, path = string_argument(info, 0, "connect to unix socket")] { return sockets->dial(path); },
        [](Napi::Env env, Dialled& dialled) {
          auto object = Napi::Object::New(env);
          object.Set("connection", static_cast<double>(dialled.connection));
          object.Set("fd", dialled.inner.release());
          return object;
        });
  }

  Napi::Value send(const Napi::CallbackInfo& info) {
    const char* operation = "send a descriptor";
    const uint64_t connection = handle_argument(info, 0, operation);
    return data_of(env_).executor.run<std::string>(
        env_,
        [sockets = sockets_, connection, path = string_argument(info, 1, operation)] {
          return sockets->send(connection, path);
        },
        [](Napi::Env env, const std::string& url) { return Napi::String::New(env, url); });
  }

  // A descriptor, or -1 if none has come yet.
  Napi::Value received(const Napi::CallbackInfo& info) {
    const char* operation = "take a descriptor from a peer";
    auto fd = sockets_->received(handle_argument(info, 0, operation), string_argument(info, 1, operation));
    if (!fd) throw_error(env_, fd.error());
    return Napi::Number::New(env_, fd.value().release());
  }

  Napi::Value close(const Napi::CallbackInfo&) {
    return data_of(env_).executor.run(env_, [sockets = sockets_]() -> Result<> {
      sockets->close();
      return Done{};
    });
  }

  const Napi::Env env_;
  const uint64_t id_;
  const std::shared_ptr<os::StreamSockets> sockets_;
  Napi::ObjectReference events_;
};

// At the end of an environment, the threads stop before its objects are destroyed.
UnixSocketsObjects::~UnixSocketsObjects() {
  for (const auto& [id, object] : objects) object->close_sockets();
}

void News::deliver(Napi::Env env) {
  const auto* registry = objects_of(env);
  if (registry == nullptr) return;
  const auto found = registry->objects.find(object);
  if (found != registry->objects.end()) found->second->tell(env, *this);
}

}  // namespace

void register_unix_sockets(Napi::Env env, Napi::Object exports, AddonData& data) {
  data.unix_sockets = std::make_unique<UnixSocketsObjects>();
  exports.Set("UnixSockets", UnixSocketsObject::define(env));
}

}  // namespace crosswire::binding
