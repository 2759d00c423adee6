"""What is in a Wasm module."""

CUSTOM_SECTION, IMPORT_SECTION, EXPORT_SECTION = 0, 2, 7


class Module:
    """A reader of a Wasm module's sections (WebAssembly core specification, section 5.5)."""

    def __init__(self, data):
        assert data[:8] == b"\0asm\1\0\0\0"
        self.data = data

    def imports(self):
        """Module and name of every function imported; nothing else may be."""
        self._seek(IMPORT_SECTION)
        return [self._import() for _ in range(self._number())]

    def exports(self):
        """The name of everything exported."""
        self._seek(EXPORT_SECTION)
        return [self._export() for _ in range(self._number())]

    def custom_sections(self):
        """Names and contents of the custom sections, in their order."""
        self.position, found = 8, []
        while self.position < len(self.data):
            section, size = self._byte(), self._number()
            end = self.position + size
            if section == CUSTOM_SECTION:
                found.append((self._name(), self.data[self.position : end]))
            self.position = end
        return found

    def _seek(self, wanted):
        self.position = 8
        while (section := self._byte()) != wanted:
            size = self._number()
            self.position += size
            assert self.position < len(self.data), f"no section {wanted} behind section {section}"
        self._number()

    def _import(self):
        module, name, kind = self._name(), self._name(), self._byte()
        assert kind == 0, f"{module}.{name} is no function"
        self._number()
        return module, name

    def _export(self):
        name = self._name()
        self._byte()
        self._number()
        return name

    def _byte(self):
        self.position += 1
        return self.data[self.position - 1]

    def _number(self):
        """LEB128."""
        byte = self._byte()
        return byte if byte < 128 else (byte & 127) | self._number() << 7

    def _name(self):
        size = self._number()
        self.position += size
        return self.data[self.position - size : self.position].decode()
