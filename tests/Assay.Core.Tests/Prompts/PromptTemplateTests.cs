using System.Text.Json;
using Assay.Core.Prompts;
using Assay.Core.Prompts.Templates;

namespace Assay.Core.Tests.Prompts;

public sealed class PromptTemplateTests
{
    [Theory]
    [InlineData("Hello {name}!", """{"name":"Ada"}""", "Hello Ada!")]
    [InlineData("{{literal}} {x}", """{"x":1}""", "{literal} 1")]
    [InlineData("{a}{a}{b}", """{"a":"1","b":{"k":true}}""", """11{"k":true}""")]
    [InlineData("no variables", "{}", "no variables")]
    public void F_strings_are_filled_in(string template, string values, string expected) =>
        Assert.Equal(expected, Render(TemplateFormat.FString, template, values));

    [Theory]
    // Interpolation, nested names, implicit iterator, missing values, numbers; values are not escaped for HTML.
    [InlineData("Hello, {{subject}}!", """{"subject":"world"}""", "Hello, world!")]
    [InlineData(
        "{{forbidden}} {{{forbidden}}} {{&forbidden}}",
        """{"forbidden":"& \" < >"}""",
        "& \" < > & \" < > & \" < >"
    )]
    [InlineData("I ({{cannot}}) be seen!", "{}", "I () be seen!")]
    [InlineData("{{a.b.c}}", """{"a":{"b":{"c":"deep"}}}""", "deep")]
    [InlineData("{{#list}}({{.}}){{/list}}", """{"list":[1,2.5,"x"]}""", "(1)(2.5)(x)")]
    [InlineData(
        "{{#people}}{{name}} {{/people}}",
        """{"people":[{"name":"A"},{"name":"B"}]}""",
        "A B "
    )]
    [InlineData("{{#on}}yes{{/on}}{{^on}}no{{/on}}", """{"on":false}""", "no")]
    [InlineData("{{#empty}}x{{/empty}}{{^empty}}none{{/empty}}", """{"empty":[]}""", "none")]
    [InlineData("{{! a remark }}x", "{}", "x")]
    [InlineData("{{=<% %>=}}<%a%>", """{"a":"1"}""", "1")]
    public void Mustache_is_filled_in_as_its_specification_says(
        string template,
        string values,
        string expected
    ) => Assert.Equal(expected, Render(TemplateFormat.Mustache, template, values));

    [Theory]
    [InlineData(TemplateFormat.FString, "line one\n  {oops", 2, 3)]
    [InlineData(TemplateFormat.FString, "a } b", 1, 3)]
    [InlineData(TemplateFormat.FString, "{a.b}", 1, 2)]
    [InlineData(TemplateFormat.FString, "{}", 1, 2)]
    public void A_template_that_is_not_well_formed_says_where(
        TemplateFormat format,
        string text,
        int line,
        int column
    )
    {
        var error = Assert.Throws<TemplateException>(() => PromptTemplate.Parse(format, text));
        Assert.Equal((line, column), (error.Line, error.Column));
    }

    [Theory]
    [InlineData("{{#a}} never closed")]
    [InlineData("{{a")]
    [InlineData("{{/b}}")]
    public void Mustache_that_is_not_well_formed_is_refused(string text) =>
        Assert.Throws<TemplateException>(() => PromptTemplate.Parse(TemplateFormat.Mustache, text));

    [Fact]
    public void Variables_are_found_with_their_places()
    {
        var template = PromptTemplate.Parse(TemplateFormat.FString, "ab {x} {y} {x}");
        Assert.Equal(["x", "y"], template.Names);
        Assert.Equal(new TemplateVariable("x", "x", 3, 3), template.Variables[0]);
        var mustache = PromptTemplate.Parse(
            TemplateFormat.Mustache,
            "{{user.name}}{{#docs}}{{title}}{{/docs}}{{^none}}{{other}}{{/none}}"
        );
        Assert.Equal(["user", "docs", "none", "other"], mustache.Names);
    }

    [Fact]
    public void A_missing_value_of_an_f_string_is_named()
    {
        var error = Assert.Throws<TemplateException>(() =>
            Render(TemplateFormat.FString, "Hi {name}", "{}")
        );
        Assert.Contains("'name' has no value", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LangChains_chat_prompt_is_executed()
    {
        var prompt = ChatPrompt.FromManifest(
            JsonElement.Parse(
                """
                {"lc":1,"type":"constructor","id":["langchain_core","prompts","chat","ChatPromptTemplate"],"kwargs":{
                  "input_variables":["q"],"partial_variables":{"tone":"kind"},
                  "messages":[
                    {"lc":1,"type":"constructor","id":["langchain_core","prompts","chat","SystemMessagePromptTemplate"],"kwargs":{"prompt":
                      {"lc":1,"type":"constructor","id":["langchain_core","prompts","prompt","PromptTemplate"],"kwargs":{"template":"Be {tone}.","template_format":"f-string"}}}},
                    {"lc":1,"type":"constructor","id":["langchain_core","prompts","chat","MessagesPlaceholder"],"kwargs":{"variable_name":"history","optional":true}},
                    {"lc":1,"type":"constructor","id":["langchain_core","prompts","chat","HumanMessagePromptTemplate"],"kwargs":{"prompt":[
                      {"lc":1,"type":"constructor","id":["langchain_core","prompts","prompt","PromptTemplate"],"kwargs":{"template":"{{q}}","template_format":"mustache"}},
                      {"lc":1,"type":"constructor","id":["langchain_core","prompts","image","ImagePromptTemplate"],"kwargs":{"template":{"url":"{img}"}}}]}}
                  ]}}
                """
            )
        );
        Assert.Equal(["q", "img"], prompt.Names);
        var messages = prompt.Render(
            Values(
                """{"q":"What?","img":"data:x","history":[{"role":"assistant","content":"Hello"}]}"""
            )
        );
        Assert.Equal(["system", "assistant", "user"], messages.Select(m => m.Role));
        Assert.Equal("Be kind.", messages[0].Content.GetString());
        Assert.Equal(
            """[{"type":"text","text":"What?"},{"type":"image_url","image_url":{"url":"data:x"}}]""",
            messages[2].Content.GetRawText()
        );
        Assert.Equal(2, prompt.Render(Values("""{"q":"What?","img":"data:x"}""")).Count);
    }

    [Fact]
    public void What_cannot_be_executed_is_named()
    {
        var error = Assert.Throws<InvalidPromptException>(() =>
            ChatPrompt.FromManifest(
                JsonElement.Parse(
                    """{"id":["langchain_core","prompts","few_shot","FewShotPromptTemplate"],"kwargs":{}}"""
                )
            )
        );
        Assert.Contains("FewShotPromptTemplate", error.Message, StringComparison.Ordinal);
    }

    private static string Render(TemplateFormat format, string template, string values) =>
        PromptTemplate.Parse(format, template).Render(Values(values));

    private static Dictionary<string, JsonElement> Values(string json) =>
        JsonElement.Parse(json).EnumerateObject().ToDictionary(p => p.Name, p => p.Value);

    [Fact]
    public void What_is_filled_in_for_a_prompt_or_one_of_its_templates_is_not_asked_for_and_survives_an_edit()
    {
        var manifest = JsonSerializer.SerializeToElement(
            new
            {
                id = new[] { "langchain_core", "prompts", "chat", "ChatPromptTemplate" },
                kwargs = new
                {
                    partial_variables = new { tone = "kind" },
                    messages = new[]
                    {
                        new
                        {
                            id = new[]
                            {
                                "langchain_core",
                                "prompts",
                                "chat",
                                "HumanMessagePromptTemplate",
                            },
                            kwargs = new
                            {
                                prompt = new object[]
                                {
                                    new
                                    {
                                        id = new[]
                                        {
                                            "langchain_core",
                                            "prompts",
                                            "prompt",
                                            "PromptTemplate",
                                        },
                                        kwargs = new
                                        {
                                            template = "Be {tone}: {question}{sign}",
                                            partial_variables = new { sign = "!" },
                                        },
                                    },
                                    new
                                    {
                                        id = new[]
                                        {
                                            "langchain_core",
                                            "prompts",
                                            "image",
                                            "ImagePromptTemplate",
                                        },
                                        kwargs = new
                                        {
                                            template = new { url = "{photo}", detail = "low" },
                                        },
                                    },
                                },
                            },
                        },
                    },
                },
            }
        );
        var values = new Dictionary<string, JsonElement>
        {
            ["question"] = JsonSerializer.SerializeToElement("why"),
            ["photo"] = JsonSerializer.SerializeToElement("https://example.com/a.png"),
        };
        var prompt = ChatPrompt.FromManifest(manifest);
        AssertRendered(prompt);
        var edited = JsonSerializer.SerializeToElement(
            new
            {
                format = "f-string",
                messages = prompt.Messages.Select(m => new { role = m.Role, content = m.Content }),
            }
        );
        AssertRendered(ChatPrompt.FromManifest(ChatPromptManifest.Write(edited, manifest)));

        void AssertRendered(ChatPrompt chat)
        {
            Assert.Equal(["question", "photo"], chat.Names);
            var message = Assert.Single(chat.Render(values));
            Assert.Equal("Be kind: why!", message.Content[0].GetProperty("text").GetString());
            var image = message.Content[1].GetProperty("image_url");
            Assert.Equal("https://example.com/a.png", image.GetProperty("url").GetString());
            Assert.Equal("low", image.GetProperty("detail").GetString());
        }
    }

    [Fact]
    public void What_a_section_does_not_have_is_found_outside_it_among_many_values()
    {
        var values = new Dictionary<string, JsonElement>
        {
            ["list"] = JsonSerializer.SerializeToElement(new[] { new { a = 1 }, new { a = 2 } }),
            ["outside"] = JsonSerializer.SerializeToElement(new { deep = "o" }),
            ["empty"] = JsonSerializer.SerializeToElement(Array.Empty<int>()),
            ["unused"] = JsonSerializer.SerializeToElement(new string('u', 100)),
        };
        Assert.Equal(
            "1o2o none o",
            PromptTemplate
                .Parse(
                    TemplateFormat.Mustache,
                    "{{# list }}{{a}}{{ outside.deep }}{{/ list }} {{^empty}}none {{#outside}}{{deep}}{{/outside}}{{/empty}}"
                )
                .Render(values)
        );
    }
}
